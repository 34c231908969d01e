/* Rows of losses.csv in memory. */
#include "train/report/loss_history.h"

#include "core/base/memory.h"
#include "train/support/loss_rows.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

static EadStatus read_rows(EadLossRows *rows, EadLossHistory *history) {
    bool found;
    int losses = rows->names.count;
    for (int i = 0; i < losses; i++) EAD_TRY(ead_strings_add(&history->names, rows->names.items[i]));
    for (;;) {
        EAD_TRY(ead_loss_rows_next(rows, &found));
        if (!found) return EAD_OK;
        EAD_TRY(ead_grow(&history->rows, &history->capacity, history->count,
                         (size_t)(1 + losses) * sizeof *history->rows, "the losses"));
        double *row = history->rows + (int64_t)history->count++ * (1 + losses);
        row[0] = (double)rows->step;
        for (int i = 0; i < losses; i++) row[1 + i] = (double)rows->values[i];
    }
}

EadStatus ead_loss_history_read(const char *path, EadLossHistory *history) {
    EadLossRows rows;
    *history = (EadLossHistory){0};
    if (access(path, F_OK) != 0 && errno == ENOENT) return EAD_OK;
    EadStatus status = ead_loss_rows_open(path, &rows);
    if (status == EAD_OK) status = read_rows(&rows, history);
    ead_loss_rows_close(&rows);
    if (status != EAD_OK) ead_loss_history_free(history);
    return status;
}

void ead_loss_history_free(EadLossHistory *history) {
    ead_strings_free(&history->names);
    free(history->rows);
    *history = (EadLossHistory){0};
}
