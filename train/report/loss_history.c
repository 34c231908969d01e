/* Parsing of losses.csv. */
#include "train/report/loss_history.h"

#include "core/base/memory.h"
#include "core/base/text.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_FILE = 1 << 30, LINE_SIZE = 1024, MAX_STEP_DIGITS = 15 }; /* so that a double holds every step */

/* "step,loss_a,loss_b,lr": the names between the first and the last; changes the line. */
static EadStatus read_header(char *line, const char *path, EadLossHistory *history) {
    const char *name = strtok(line, ","), *next;
    bool good = name && strcmp(name, "step") == 0;
    for (name = strtok(NULL, ","); good && name; name = next) {
        next = strtok(NULL, ",");
        if (next) EAD_TRY(ead_strings_add(&history->names, name));
        if (!next) good = strcmp(name, "lr") == 0;
    }
    if (good && history->names.count > 0) return EAD_OK;
    return ead_fail(EAD_BAD_FILE, "%s:1: the header is not step,...,lr; move the file away", path);
}

/* "12,0.1,0.2,1e-4". Losses may be nan or inf: a run that went wrong is worth a look too. */
static bool parse_row(const char *line, int losses, double *row) {
    char *end;
    row[0] = (double)strtoll(line, &end, 10);
    if (end == line || end - line > MAX_STEP_DIGITS) return false;
    for (int i = 0; i <= losses; i++) { /* and the learning rate */
        if (*end != ',') return false;
        const char *start = end + 1;
        double value = (double)strtof(start, &end);
        if (end == start) return false;
        if (i < losses) row[1 + i] = value;
    }
    return *end == '\0';
}

static EadStatus read_rows(FILE *stream, const char *path, EadLossHistory *history) {
    char line[LINE_SIZE];
    double last = 0;
    for (long number = 1; fgets(line, sizeof line, stream); number++) {
        if (number > 1 && !strchr(line, '\n') && feof(stream)) break; /* a run was killed as it wrote */
        line[strcspn(line, "\r\n")] = '\0';
        if (number == 1) EAD_TRY(read_header(line, path, history));
        if (number == 1) continue;
        int losses = history->names.count;
        EAD_TRY(ead_grow(&history->rows, &history->capacity, history->count,
                         (size_t)(1 + losses) * sizeof *history->rows, "the losses"));
        double *row = history->rows + (int64_t)history->count * (1 + losses);
        if (!parse_row(line, losses, row) || row[0] <= last)
            return ead_fail(EAD_BAD_FILE, "%s:%ld: not a row of losses after step %.0f; move the file away",
                            path, number, last);
        last = row[0];
        history->count++;
    }
    return ferror(stream) ? ead_fail(EAD_IO, "%s: cannot read: %s", path, strerror(errno)) : EAD_OK;
}

EadStatus ead_loss_history_read(const char *path, EadLossHistory *history) {
    *history = (EadLossHistory){0};
    char *text;
    size_t size;
    if (access(path, F_OK) != 0 && errno == ENOENT) return EAD_OK;
    EAD_TRY(ead_read_text(path, MAX_FILE, &text, &size));
    FILE *stream = fmemopen(text, size ? size : 1, "r");
    EadStatus status =
        stream ? read_rows(stream, path, history) : ead_fail(EAD_NO_MEMORY, "no memory to read %s", path);
    if (stream) fclose(stream);
    free(text);
    if (status != EAD_OK) ead_loss_history_free(history);
    return status;
}

void ead_loss_history_free(EadLossHistory *history) {
    ead_strings_free(&history->names);
    free(history->rows);
    *history = (EadLossHistory){0};
}
