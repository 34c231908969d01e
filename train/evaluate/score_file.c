/* The first character tells JSON from CSV. */
#include "train/evaluate/score_file.h"

#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/file/json_text.h"
#include "data/dataset/csv_reader.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_FILE = 1 << 30 };

void ead_score_file_free(EadScoreFile *file) {
    ead_strings_free(&file->paths);
    ead_strings_free(&file->rows);
    free(file->scores);
    *file = (EadScoreFile){0};
}

/* text: what stands in its place where that is no number; NULL: it is one, or nothing is there. */
static EadStatus add(EadScoreFile *file, int line, const char *path, double score, const char *text) {
    EAD_TRY(ead_grow(&file->scores, &file->capacity, file->paths.count, sizeof *file->scores, "the scores"));
    file->scores[file->paths.count] = score;
    EAD_TRY(text ? ead_strings_print(&file->rows, "line %d (%s, '%.40s')", line, path, text)
                 : ead_strings_print(&file->rows, "line %d (%s)", line, path));
    return ead_strings_add(&file->paths, path);
}

/* An empty field is no score, nor is one of other text. */
static EadStatus add_row(EadScoreFile *file, const EadCsvReader *reader, int path, int score) {
    if (path >= reader->count || score >= reader->count)
        return ead_fail(EAD_BAD_FILE, "%s:%d: fewer fields than its first line", reader->label, reader->line);
    const char *text = reader->fields[score];
    char *end = (char *)(uintptr_t)text;
    double value = *text ? strtod(text, &end) : (double)NAN;
    bool number = *end == '\0';
    return add(file, reader->line, reader->fields[path], number ? value : (double)NAN, number ? NULL : text);
}

static EadStatus read_csv(EadScoreFile *file, const char *text, size_t size, const char *label) {
    EadCsvReader reader;
    bool found = false;
    EadStatus status = ead_csv_open_text(text, size, label, &reader);
    if (status == EAD_OK) status = ead_csv_next(&reader, &found);
    int path = status == EAD_OK ? ead_csv_find(&reader, "path") : -1;
    int score = status == EAD_OK ? ead_csv_find(&reader, "score") : -1;
    if (status == EAD_OK && (path < 0 || score < 0))
        status = ead_fail(
            EAD_BAD_FILE,
            "%s: its first line does not name the columns path and score; nor is it JSON, a line each",
            label);
    while (status == EAD_OK && (status = ead_csv_next(&reader, &found)) == EAD_OK && found)
        status = add_row(file, &reader, path, score);
    ead_csv_close(&reader);
    return status;
}

static EadStatus add_object(EadScoreFile *file, const json_t *object, const char *label, int line) {
    const char *path = json_string_value(json_object_get(object, "path"));
    const json_t *score = json_object_get(object, "score");
    if (!path) return ead_fail(EAD_BAD_FILE, "%s:%d: not {\"path\": TEXT, \"score\": NUMBER}", label, line);
    bool number = !score || json_is_number(score);
    return add(file, line, path, score && number ? json_number_value(score) : (double)NAN,
               number ? NULL : json_string_value(score));
}

static EadStatus read_json_lines(EadScoreFile *file, const char *text, const char *label) {
    for (int line = 1; *text; line++) {
        size_t length = strcspn(text, "\n");
        if (strspn(text, " \t") < length) {
            char name[1024];
            json_t *object;
            snprintf(name, sizeof name, "%.1000s:%d", label, line);
            EAD_TRY(ead_json_parse(name, text, length, JSON_REJECT_DUPLICATES, &object, NULL));
            EadStatus status = add_object(file, object, label, line);
            json_decref(object);
            EAD_TRY(status);
        }
        text += length + (text[length] == '\n');
    }
    return EAD_OK;
}

EadStatus ead_score_file_read(const char *path, EadScoreFile *out) {
    char *text;
    size_t size;
    *out = (EadScoreFile){0};
    EAD_TRY(ead_read_text(path, MAX_FILE, &text, &size));
    bool json = text[strspn(text, " \t\n")] == '{';
    EadStatus status = json ? read_json_lines(out, text, path) : read_csv(out, text, size, path);
    free(text);
    if (status == EAD_OK && out->paths.count == 0)
        status = ead_fail(EAD_BAD_FILE, "%s: holds no scores", path);
    return status;
}
