/* Parsing of losses.csv. */
#include "train/loop/loss_history.h"

#include "train/loop/loss_log.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_SIZE = 512, LOSS_COLUMNS = 6 };

static EadStatus push(EadLossHistory *history, EadLossPoint point) {
    if (history->count == history->capacity) {
        int64_t capacity = history->capacity > 0 ? 2 * history->capacity : 1024;
        EadLossPoint *points = realloc(history->points, (size_t)capacity * sizeof *points);
        if (!points) return ead_fail(EAD_NO_MEMORY, "no memory for %lld losses", (long long)capacity);
        history->points = points;
        history->capacity = capacity;
    }
    history->points[history->count++] = point;
    return EAD_OK;
}

/* "12,0.1,0.2,0.3,0.4,1.0,1e-4". Losses may be nan or inf: a run that went wrong is worth a look too. */
static bool parse_row(const char *line, EadLossPoint *point) {
    float values[LOSS_COLUMNS];
    char *end;
    errno = 0;
    point->step = strtoll(line, &end, 10);
    if (end == line || errno != 0) return false;
    for (int i = 0; i < LOSS_COLUMNS; i++) {
        if (*end != ',') return false;
        const char *start = end + 1;
        values[i] = strtof(start, &end);
        if (end == start) return false;
    }
    point->hard = values[0];
    point->penalty = values[1];
    point->ae = values[2];
    point->stae = values[3];
    point->total = values[4];
    return *end == '\0';
}

static EadStatus read_rows(FILE *stream, const char *path, EadLossHistory *history) {
    char line[LINE_SIZE];
    for (long number = 1; fgets(line, sizeof line, stream); number++) {
        EadLossPoint point = {0};
        line[strcspn(line, "\r\n")] = '\0';
        if (number == 1 && strcmp(line, EAD_TRAINING_LOSSES) != 0)
            return ead_fail(EAD_BAD_FILE, "%s:1: the header is not %s; move the file away", path,
                            EAD_TRAINING_LOSSES);
        if (number == 1) continue;
        int64_t before = history->count > 0 ? history->points[history->count - 1].step : 0;
        if (!parse_row(line, &point) || point.step <= before)
            return ead_fail(EAD_BAD_FILE, "%s:%ld: not a row of losses after step %lld; move the file away",
                            path, number, (long long)before);
        EAD_TRY(push(history, point));
    }
    return ferror(stream) ? ead_fail(EAD_IO, "%s: cannot read: %s", path, strerror(errno)) : EAD_OK;
}

EadStatus ead_loss_history_read(const char *path, EadLossHistory *history) {
    *history = (EadLossHistory){0};
    FILE *stream = fopen(path, "r");
    if (!stream && errno == ENOENT) return EAD_OK;
    if (!stream) return ead_fail(EAD_IO, "%s: cannot read: %s", path, strerror(errno));
    EadStatus status = read_rows(stream, path, history);
    fclose(stream);
    if (status != EAD_OK) ead_loss_history_free(history);
    return status;
}

void ead_loss_history_free(EadLossHistory *history) {
    free(history->points);
    *history = (EadLossHistory){0};
}
