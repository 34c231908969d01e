/* Walking two folders. A file is whole if it has the bytes of the undisturbed run's, or can be read. */
#define _GNU_SOURCE
#include "test/torture/results_tree.h"

#include "core/base/file_bytes.h"
#include "core/base/string_list.h"
#include "core/file/safetensors.h"
#include "data/codec/codec.h"
#include "test/torture/scene.h"

#include <ctype.h>
#include <ftw.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- walks ---- */

static EadStringList *found; /* by collect() */
static size_t skipped;       /* bytes of a path before the part that is collected */
static long long sum;

static int collect(const char *path, const struct stat *info, int type, struct FTW *where) {
    (void)info, (void)where;
    if (type == FTW_F && ead_strings_add(found, path + skipped) != EAD_OK) return -1;
    return 0;
}

static void list(const char *folder, EadStringList *out) {
    found = out;
    skipped = strlen(folder) + 1;
    if (nftw(folder, collect, 16, FTW_PHYS) != 0) scene_fail("%s: cannot be listed", folder);
    ead_strings_sort(out);
}

static int remove_one(const char *path, const struct stat *info, int type, struct FTW *where) {
    (void)info, (void)type, (void)where;
    return remove(path);
}

void tree_remove(const char *folder) {
    nftw(folder, remove_one, 16, FTW_PHYS | FTW_DEPTH);
}

static int add_size(const char *path, const struct stat *info, int type, struct FTW *where) {
    (void)path, (void)where;
    if (type == FTW_F) sum += info->st_size;
    return 0;
}

long long tree_bytes(const char *folder) {
    sum = 0;
    nftw(folder, add_size, 16, FTW_PHYS);
    return sum;
}

/* ---- one file ---- */

static bool ends_in(const char *text, const char *ending) {
    size_t length = strlen(text), part = strlen(ending);
    return length >= part && strcmp(text + length - part, ending) == 0;
}

/* Its name is a time. */
static bool is_event_log(const char *name) {
    return strstr(name, "events.out.tfevents.") != NULL;
}

/* The next run checks it, and removes it at its end. */
static bool is_cache(const char *name) {
    return strstr(name, "cache/") && ends_in(name, ".cache");
}

/* What a training that did not reach its end keeps for --resume. */
static bool is_for_resume(const char *name) {
    return is_cache(name) || ends_in(name, "checkpoint.safetensors");
}

/* Grows while the program runs: its end may be missing. */
static bool is_live(const char *name) {
    return is_event_log(name) || ends_in(name, "losses.csv") || ends_in(name, "log.txt");
}

bool tree_same_bytes(const char *a, const char *b) {
    static char x[1 << 20], y[1 << 20];
    FILE *first = fopen(a, "rb"), *second = fopen(b, "rb");
    bool same = first && second;
    for (size_t count = 1; same && count > 0;) {
        count = fread(x, 1, sizeof x, first);
        same = fread(y, 1, sizeof y, second) == count && memcmp(x, y, count) == 0;
    }
    if (first) fclose(first);
    if (second) fclose(second);
    return same;
}

/* Behind a number, which may have an exponent, and behind "ms" as behind "s", the unit of a time that was a little longer. */
static const char *skip_number(const char *at) {
    const char *start = at;
    while (isdigit((unsigned char)*at) || *at == '.' || (at > start && *at && strchr("e+-", *at))) at++;
    if (at == start) return at;
    return at + (strncmp(at, " ms", 3) == 0 ? 2 : strncmp(at, " s", 2) == 0);
}

static bool same_but_numbers(const char *a, const char *b) {
    char *first = NULL, *second = NULL;
    size_t size;
    bool same = ead_read_file(a, INT32_MAX - 1, &first, &size) == EAD_OK &&
                ead_read_file(b, INT32_MAX - 1, &second, &size) == EAD_OK;
    const char *x = first, *y = second;
    while (same && *(x = skip_number(x)) && *(y = skip_number(y))) same = *x++ == *y++;
    same = same && *x == *skip_number(y);
    free(first);
    free(second);
    return same;
}

static bool reads_as_tensors(const char *path) {
    EadSafetensors *file;
    bool good = ead_safetensors_open(path, &file) == EAD_OK;
    ead_safetensors_close(file);
    return good;
}

static bool reads_as_json(const char *path) {
    json_t *json = json_load_file(path, 0, NULL);
    json_decref(json);
    return json != NULL;
}

static bool reads_as_image(const char *path) {
    EadImage image;
    bool good = ead_image_load(path, &image) == EAD_OK;
    ead_image_free(&image);
    return good;
}

/* Whole lines with as many commas as the first. */
static bool reads_as_csv(const char *path) {
    char line[4096];
    FILE *file = fopen(path, "r");
    int expected = -1;
    bool good = file != NULL;
    while (good && fgets(line, sizeof line, file)) {
        int commas = 0;
        for (const char *c = line; *c; c++) commas += *c == ',';
        good = ends_in(line, "\n") && (expected < 0 || commas == expected);
        expected = commas;
    }
    if (file) fclose(file);
    return good && expected >= 0;
}

static bool ends_as_text(const char *path, const char *ending) {
    char end[32] = "";
    FILE *file = fopen(path, "rb");
    if (!file) return false;
    fseek(file, -(long)strlen(ending), SEEK_END);
    size_t count = fread(end, 1, sizeof end - 1, file);
    fclose(file);
    end[count] = '\0';
    return strcmp(end, ending) == 0;
}

static bool reads(const char *path) {
    if (ends_in(path, ".safetensors")) return reads_as_tensors(path);
    if (ends_in(path, ".json")) return reads_as_json(path);
    if (ends_in(path, ".png")) return reads_as_image(path);
    if (ends_in(path, ".csv")) return reads_as_csv(path);
    if (ends_in(path, ".html")) return ends_as_text(path, "</html>\n");
    if (ends_in(path, ".yaml") || ends_in(path, ".md")) return ends_as_text(path, "\n");
    return false;
}

/* ---- the folder ---- */

typedef struct Comparison {
    const char *folder, *reference;
    bool whole; /* all files with all bytes */
    char *why;
} Comparison;

static bool complain(const Comparison *comparison, const char *name, const char *what) {
    snprintf(comparison->why, TREE_WHY, "%s %s", name, what);
    return false;
}

static bool file_holds(const Comparison *comparison, const char *name) {
    char path[2 * SCENE_PATH], other[2 * SCENE_PATH];
    if (is_event_log(name)) return true;
    snprintf(path, sizeof path, "%s/%s", comparison->folder, name);
    snprintf(other, sizeof other, "%s/%s", comparison->reference, name);
    if (comparison->whole && ends_in(name, "log.txt")) return true;
    if (comparison->whole) /* these tell times, but nothing else differs */
        return (ends_in(name, "report.html") || ends_in(name, "speed.json") ? same_but_numbers(path, other)
                                                                            : tree_same_bytes(path, other)) ||
               complain(comparison, name, "is not as undisturbed");
    if (is_live(name) || is_cache(name) || tree_same_bytes(path, other) || reads(path)) return true;
    return complain(comparison, name, "is damaged");
}

bool tree_holds(const char *folder, const char *reference, bool whole, bool littered, int *litter,
                char why[TREE_WHY]) {
    EadStringList files = {0}, expected = {0};
    Comparison comparison = {folder, reference, whole, why};
    bool holds = true;
    *litter = 0;
    list(folder, &files);
    list(reference, &expected);
    for (int i = 0; holds && i < files.count; i++) {
        const char *name = files.items[i];
        bool known =
            is_event_log(name) || ead_strings_find(&expected, name) >= 0 || (!whole && is_for_resume(name));
        *litter += !known;
        if (known)
            holds = file_holds(&comparison, name);
        else if (!littered || (whole && is_for_resume(name))) /* which the next run has used */
            holds = complain(&comparison, name, "is left over");
    }
    for (int i = 0; holds && comparison.whole && i < expected.count; i++)
        if (!strstr(expected.items[i], "events.out.tfevents.") &&
            ead_strings_find(&files, expected.items[i]) < 0)
            holds = complain(&comparison, expected.items[i], "is missing");
    ead_strings_free(&files);
    ead_strings_free(&expected);
    return holds;
}
