/* Typed values from text, with range checks. */
#include "train/support/value.h"

#include "train/support/utf8.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

const char *ead_value_kind_name(EadValueKind kind) {
    static const char *const names[] = {
        [EAD_KIND_STRING] = "text",
        [EAD_KIND_PATH] = "a path",
        [EAD_KIND_INT] = "a whole number",
        [EAD_KIND_UINT64] = "a whole number of 0 to 2^64-1",
        [EAD_KIND_DOUBLE] = "a number",
        [EAD_KIND_BOOL] = "true or false",
        [EAD_KIND_CHOICE] = "one of the choices",
        [EAD_KIND_SIZE] = "a size, like 256 or 256x512 (height x width)",
        [EAD_KIND_SHARE] = "part/parts, like 2/8",
        [EAD_KIND_FLAG] = "nothing",
    };
    return names[kind];
}

static EadStatus wrong_type(const EadValueRule *rule, const char *text) {
    return ead_fail(EAD_BAD_ARGUMENT, "%s: expected %s, got '%.80s'", rule->name,
                    ead_value_kind_name(rule->kind), text);
}

static EadStatus check_range(const EadValueRule *rule, const char *text, double value) {
    if (rule->constraint[0] == '\0') return EAD_OK;
    Range range = range_read(rule->constraint);
    if (range_holds(&range, value)) return EAD_OK;
    return ead_fail(EAD_BAD_ARGUMENT, "%s: %.80s is out of the range %s", rule->name, text, rule->constraint);
}

/* Every text may end up in an error message of one line. */
static EadStatus check_text(const EadValueRule *rule, const char *text) {
    if (ead_utf8_is_plain(text)) return EAD_OK;
    return ead_fail(EAD_BAD_ARGUMENT, "%s: the text holds control characters or is not UTF-8", rule->name);
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
    return ead_fail(EAD_BAD_ARGUMENT,
                    "%s: '%.80s' is not possible; height and width are each in %s (256, 256x512)", rule->name,
                    text, rule->constraint);
}

static EadStatus parse_share(const EadValueRule *rule, const char *text, EadValue *value) {
    const EadValueRule number = {rule->name, EAD_KIND_INT, "[1, 100000]"};
    const char *slash = strchr(text, '/');
    EadValue part, parts;
    char first[16];
    if (!slash || slash - text >= (int)sizeof first) return wrong_type(rule, text);
    snprintf(first, sizeof first, "%.*s", (int)(slash - text), text);
    EAD_TRY(parse_int(&number, first, &part));
    EAD_TRY(parse_int(&number, slash + 1, &parts));
    value->share = (EadShard){(int)part.i64, (int)parts.i64};
    if (part.i64 <= parts.i64) return EAD_OK;
    return ead_fail(EAD_BAD_ARGUMENT, "%s: there is no part %d of %d", rule->name, value->share.part,
                    value->share.parts);
}

EadStatus ead_value_parse(const EadValueRule *rule, const char *text, EadValue *value) {
    EadValue parsed = {.text = text};
    EadStatus status = check_text(rule, text);
    if (status != EAD_OK) return status;
    switch (rule->kind) {
    case EAD_KIND_INT:
        status = parse_int(rule, text, &parsed);
        break;
    case EAD_KIND_UINT64:
        status = parse_uint64(rule, text, &parsed);
        break;
    case EAD_KIND_DOUBLE:
        status = parse_double(rule, text, &parsed);
        break;
    case EAD_KIND_BOOL:
        status = parse_bool(rule, text, &parsed);
        break;
    case EAD_KIND_CHOICE:
        status = parse_choice(rule, text, &parsed);
        break;
    case EAD_KIND_SIZE:
        status = parse_size(rule, text, &parsed);
        break;
    case EAD_KIND_SHARE:
        status = parse_share(rule, text, &parsed);
        break;
    case EAD_KIND_STRING:
    case EAD_KIND_PATH:
    case EAD_KIND_FLAG:
        break;
    }
    *value = parsed;
    return status;
}
