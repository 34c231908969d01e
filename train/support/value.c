/* One row a kind of value: how it is called, read, kept and written. */
#include "train/support/value.h"

#include "core/base/memory.h"
#include "core/base/minmax.h"
#include "core/base/paths.h"
#include "core/base/printing.h"
#include "core/base/utf8.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct Kind {
    const char *name; /* in "expected a whole number" */
    EadStatus (*parse)(const EadValueRule *rule, const char *text, EadValue *value); /* NULL: any text */
    void (*write)(FILE *stream, const void *member);                                 /* NULL: not storable */
    size_t size;                                                                     /* of the member */
} Kind;

static const Kind *kind_of(EadValueKind kind);

typedef struct Range {
    double minimum, maximum;
    bool open_minimum, open_maximum; /* the limit itself is outside */
    long step;                       /* SIZE only; 1 elsewhere */
} Range;

/* Reads "[0, 1)" or "[128, 2048] in steps of 64". Ranges are written by us: a bad one is our own mistake. */
static Range range_read(const char *text) {
    Range range = {.step = 1, .open_minimum = text[0] == '('};
    char *end;
    range.minimum = strtod(text + 1, &end);
    assert(*end == ',');
    range.maximum = strtod(end + 1, &end);
    assert(*end == ')' || *end == ']');
    range.open_maximum = *end == ')';
    const char *steps = strstr(end, "steps of ");
    if (steps) range.step = strtol(steps + strlen("steps of "), NULL, 10);
    return range;
}

static bool range_holds(const Range *range, double value) {
    bool above = range->open_minimum ? value > range->minimum : value >= range->minimum;
    bool below = range->open_maximum ? value < range->maximum : value <= range->maximum;
    return above && below;
}

static EadStatus wrong_type(const EadValueRule *rule, const char *text) {
    return ead_fail(EAD_BAD_ARGUMENT, "%s: expected %s, got '%.80s'", rule->name, kind_of(rule->kind)->name,
                    text);
}

static EadStatus check_range(const EadValueRule *rule, const char *text, double value) {
    if (rule->constraint[0] == '\0') return EAD_OK;
    Range range = range_read(rule->constraint);
    if (range_holds(&range, value)) return EAD_OK;
    return ead_fail(EAD_BAD_ARGUMENT, "%s: %.80s is out of the range %s", rule->name, text, rule->constraint);
}

/* strtol() and its kin accept leading blanks, hexadecimal, "inf" and "nan"; a value must not. */
static bool only_of(const char *text, const char *accepted) {
    return *text != '\0' && text[strspn(text, accepted)] == '\0';
}

static EadStatus parse_int(const EadValueRule *rule, const char *text, EadValue *value) {
    char *end = NULL;
    errno = 0;
    if (!only_of(text, "+-0123456789")) return wrong_type(rule, text);
    value->i64 = strtoll(text, &end, 10);
    if (*end != '\0') return wrong_type(rule, text);
    double known = errno == ERANGE ? copysign(HUGE_VAL, (double)value->i64) : (double)value->i64;
    return check_range(rule, text, known);
}

static EadStatus parse_uint64(const EadValueRule *rule, const char *text, EadValue *value) {
    char *end = NULL;
    errno = 0;
    if (!only_of(text, "0123456789")) return wrong_type(rule, text);
    value->u64 = strtoull(text, &end, 10);
    return errno == ERANGE ? wrong_type(rule, text) : EAD_OK;
}

static EadStatus parse_double(const EadValueRule *rule, const char *text, EadValue *value) {
    char *end = NULL;
    if (!only_of(text, "+-.0123456789eE")) return wrong_type(rule, text);
    value->f64 = strtod(text, &end);
    if (*end != '\0' || !isfinite(value->f64)) return wrong_type(rule, text);
    return check_range(rule, text, value->f64);
}

static EadStatus parse_bool(const EadValueRule *rule, const char *text, EadValue *value) {
    value->flag = strcmp(text, "true") == 0;
    return value->flag || strcmp(text, "false") == 0 ? EAD_OK : wrong_type(rule, text);
}

const char *ead_value_choice(const char *constraint, int index, size_t *length) {
    for (int i = 0; i < index; i++) {
        constraint = strchr(constraint, '|');
        if (!constraint) return NULL;
        constraint++;
    }
    *length = strcspn(constraint, "|");
    return constraint;
}

static EadStatus parse_choice(const EadValueRule *rule, const char *text, EadValue *value) {
    size_t length;
    const char *choice;
    for (int i = 0; (choice = ead_value_choice(rule->constraint, i, &length)) != NULL; i++) {
        if (strlen(text) != length || strncmp(choice, text, length) != 0) continue;
        value->i64 = i;
        return EAD_OK;
    }
    return ead_fail(EAD_BAD_ARGUMENT, "%s: '%.80s' is not one of %s", rule->name, text, rule->constraint);
}

/* One side of a size; moves *text behind it. Sides of more than 6 digits are beyond every range. */
static bool read_side(const char **text, const Range *range, int *side) {
    size_t digits = strspn(*text, "0123456789");
    if (digits == 0 || digits > 6) return false;
    long number = strtol(*text, NULL, 10);
    *text += digits;
    *side = (int)number;
    return range_holds(range, (double)number) && (number - (long)range->minimum) % range->step == 0;
}

/* Only checked: the path itself is made by ead_value_store(). */
static EadStatus parse_path(const EadValueRule *rule, const char *text, EadValue *value) {
    char *path;
    (void)value;
    EadStatus status = ead_path_expand(text, &path);
    free(path);
    return status == EAD_OK ? EAD_OK : ead_fail_prefix(status, "%s: ", rule->name);
}

static EadStatus parse_size(const EadValueRule *rule, const char *text, EadValue *value) {
    if (!only_of(text, "x0123456789")) return wrong_type(rule, text);
    Range range = range_read(rule->constraint);
    const char *rest = text;
    bool possible = read_side(&rest, &range, &value->size.height);
    value->size.width = value->size.height;
    if (possible && *rest == 'x') {
        rest++;
        possible = read_side(&rest, &range, &value->size.width);
    }
    if (possible && *rest == '\0') return EAD_OK;
    return ead_fail(EAD_BAD_ARGUMENT, "%s: '%.80s' is not possible; each side is in %s (256, 256x512)",
                    rule->name, text, rule->constraint);
}

static EadStatus parse_camera(const EadValueRule *rule, const char *text, EadValue *value) {
    EAD_TRY(parse_size(rule, text, value));
    value->size = (EadSize){value->size.width, value->size.height};
    return EAD_OK;
}

/* A side in the range, moved to the nearest step. */
static bool read_nearest(const char **text, const Range *range, int *side) {
    *side = -1;
    if (read_side(text, range, side)) return true;
    if (*side < 0 || !range_holds(range, (double)*side)) return false;
    long steps = (2 * (*side - (long)range->minimum) + range->step) / (2 * range->step);
    *side = (int)((long)range->minimum + steps * range->step);
    return range_holds(range, (double)*side);
}

bool ead_value_nearest_size(const EadValueRule *rule, const char *text, char nearest[EAD_SIZE_TEXT]) {
    EadValue value;
    int height, width;
    if (rule->kind != EAD_KIND_SIZE || parse_size(rule, text, &value) == EAD_OK) return false;
    Range range = range_read(rule->constraint);
    bool found = read_nearest(&text, &range, &height);
    width = height;
    if (found && *text == 'x') {
        text++;
        found = read_nearest(&text, &range, &width);
    }
    found = found && *text == '\0';
    if (found) snprintf(nearest, EAD_SIZE_TEXT, height == width ? "%d" : "%dx%d", height, width);
    return found;
}

static EadStatus parse_shard(const EadValueRule *rule, const char *text, EadValue *value) {
    static const char array[] = "array";
    const EadValueRule number = {rule->name, EAD_KIND_INT, "[1, 100000]"};
    const char *slash = strchr(text, '/');
    EadValue part, parts;
    char first[16];
    value->shard = (EadShard){0, 0};
    if (strcmp(text, array) == 0) return EAD_OK;
    if (!slash || slash - text >= (int)sizeof first) return wrong_type(rule, text);
    snprintf(first, sizeof first, "%.*s", (int)(slash - text), text);
    bool of_array = strcmp(first, array) == 0;
    if (of_array)
        part.i64 = 0;
    else
        EAD_TRY(parse_int(&number, first, &part));
    EAD_TRY(parse_int(&number, slash + 1, &parts));
    value->shard = (EadShard){(int)part.i64, (int)parts.i64};
    if (part.i64 <= parts.i64) return EAD_OK;
    return ead_fail(EAD_BAD_ARGUMENT, "%s: there is no part %d of %d", rule->name, value->shard.part,
                    value->shard.parts);
}

/* ---- writing ---- */

/* Code points that libyaml refuses to read raw or takes for line breaks. */
static bool needs_escape(uint32_t code) {
    return code == 0x2028u || code == 0x2029u || code == 0xFEFFu || (code >= 0xFFF0u && code <= 0xFFFFu);
}

static void write_text(FILE *stream, const void *member) {
    uint32_t code;
    const char *text = *(char *const *)member;
    fputc('"', stream);
    for (int length; (length = ead_utf8_decode(text, &code)) > 0; text += length) {
        if (code == '"' || code == '\\') fputc('\\', stream);
        if (needs_escape(code))
            fprintf(stream, "\\u%04" PRIX32, code);
        else
            fwrite(text, 1, (size_t)length, stream);
    }
    fputc('"', stream);
}

static void write_list(FILE *stream, const void *member) {
    fputs(*(char *const *)member, stream);
}

static void write_int(FILE *stream, const void *member) {
    fprintf(stream, "%d", *(const int *)member);
}

static void write_uint64(FILE *stream, const void *member) {
    fprintf(stream, "%" PRIu64, *(const uint64_t *)member);
}

static void write_double(FILE *stream, const void *member) {
    char text[EAD_NUMBER_TEXT];
    fputs(ead_double_text(*(const double *)member, text), stream);
}

static void write_bool(FILE *stream, const void *member) {
    fputs(*(const bool *)member ? "true" : "false", stream);
}

static void write_size(FILE *stream, const void *member) {
    const EadSize *size = member;
    fprintf(stream, "%d", size->height);
    if (size->width != size->height) fprintf(stream, "x%d", size->width);
}

static const Kind *kind_of(EadValueKind kind) {
    static const Kind kinds[] = {
        [EAD_KIND_STRING] = {"text", NULL, write_text, sizeof(char *)},
        [EAD_KIND_PATH] = {"a path", parse_path, write_text, sizeof(char *)},
        [EAD_KIND_INT] = {"a whole number", parse_int, write_int, sizeof(int)},
        [EAD_KIND_UINT64] = {"a whole number of 0 to 2^64-1", parse_uint64, write_uint64, sizeof(uint64_t)},
        [EAD_KIND_DOUBLE] = {"a number", parse_double, write_double, sizeof(double)},
        [EAD_KIND_BOOL] = {"true or false", parse_bool, write_bool, sizeof(bool)},
        [EAD_KIND_CHOICE] = {"one of the choices", parse_choice, write_int, sizeof(int)},
        [EAD_KIND_SIZE] = {"a size, like 256 or 256x512 (height x width)", parse_size, write_size,
                           sizeof(EadSize)},
        [EAD_KIND_CAMERA] = {"a size, like 1024x768 (width x height)", parse_camera, NULL, 0},
        [EAD_KIND_LIST] = {"a list of mappings of keys: [{train.seed: 3}, {train.seed: 40}]", NULL,
                           write_list, sizeof(char *)},
        [EAD_KIND_SHARD] = {"part/parts, like 2/8 (or array, array/8: the part is the number in a job array)",
                            parse_shard, NULL, 0},
        [EAD_KIND_FLAG] = {"nothing", NULL, NULL, 0},
    };
    return &kinds[kind];
}

const char *ead_value_kind_name(EadValueKind kind) {
    return kind_of(kind)->name;
}

EadStatus ead_value_parse(const EadValueRule *rule, const char *text, EadValue *value) {
    const Kind *kind = kind_of(rule->kind);
    *value = (EadValue){.text = text};
    /* Every text may end up in an error message of one line. */
    if (!ead_utf8_is_plain(text))
        return ead_fail(EAD_BAD_ARGUMENT, "%s: the text holds control characters or is not UTF-8",
                        rule->name);
    return kind->parse ? kind->parse(rule, text, value) : EAD_OK;
}

bool ead_value_is_storable(EadValueKind kind) {
    return kind_of(kind)->write != NULL;
}

static bool is_text(EadValueKind kind) {
    return kind_of(kind)->write == write_text || kind_of(kind)->write == write_list;
}

EadStatus ead_value_store(EadValueKind kind, const EadValue *value, void *member) {
    int number = (int)value->i64;
    if (!is_text(kind)) {
        bool is_int = kind == EAD_KIND_INT || kind == EAD_KIND_CHOICE;
        memcpy(member, is_int ? (const void *)&number : &value->i64, kind_of(kind)->size);
        return EAD_OK;
    }
    char *copy = NULL;
    if (kind == EAD_KIND_PATH)
        EAD_TRY(ead_path_expand(value->text, &copy));
    else
        copy = ead_strdup(value->text);
    if (!copy) return EAD_NO_MEMORY;
    ead_value_free(kind, member);
    *(char **)member = copy;
    return EAD_OK;
}

void ead_value_free(EadValueKind kind, void *member) {
    if (is_text(kind)) free(*(char **)member);
}

bool ead_value_equal(EadValueKind kind, const void *a, const void *b) {
    if (is_text(kind)) return strcmp(*(char *const *)a, *(char *const *)b) == 0;
    return memcmp(a, b, kind_of(kind)->size) == 0;
}

void ead_value_write(FILE *stream, const EadValueRule *rule, const void *member) {
    size_t length = 0;
    if (rule->kind != EAD_KIND_CHOICE) {
        kind_of(rule->kind)->write(stream, member);
        return;
    }
    const char *choice = ead_value_choice(rule->constraint, *(const int *)member, &length);
    fwrite(choice ? choice : "", 1, length, stream);
}

/* ---- names ---- */

enum { MAX_NAME = 63 };

int ead_edit_distance(const char *a, const char *b) {
    size_t n = strlen(a), m = strlen(b);
    if (n > MAX_NAME || m > MAX_NAME) return INT_MAX;
    int row[MAX_NAME + 1];
    for (size_t j = 0; j <= m; j++) row[j] = (int)j;
    for (size_t i = 1; i <= n; i++) {
        int diagonal = row[0];
        row[0] = (int)i;
        for (size_t j = 1; j <= m; j++) {
            int above = row[j];
            row[j] = ead_min(ead_min(above, row[j - 1]) + 1, diagonal + (a[i - 1] != b[j - 1]));
            diagonal = above;
        }
    }
    return row[m];
}

void ead_suggestion_offer(EadSuggestion *suggestion, const char *typed, const char *as, const char *name) {
    int distance = ead_edit_distance(typed, as);
    size_t length = strlen(typed);
    int limit = length <= 3  ? 1
                : length < 9 ? 2
                             : (int)(length / 3); /* of three letters, two are most of them */
    bool nearer = !suggestion->name || distance < suggestion->distance;
    if (distance > limit || !nearer) return;
    *suggestion = (EadSuggestion){name, distance};
}
