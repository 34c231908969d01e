/* losses.csv read back, whatever losses a training had, for the loss curves of the report. */
#pragma once

#include "core/base/string_list.h"

typedef struct EadLossHistory {
    EadStringList names; /* of the losses: the columns between step and lr */
    double *rows;        /* [count][1 + names.count], owned: the step, ascending from 1, and the losses */
    int count, capacity;
} EadLossHistory;

/* Reads a losses.csv (train/support/loss_rows.h). A file that does not exist gives an empty history. Errors:
 * EAD_IO; EAD_BAD_FILE, "FILE:LINE: ..."; EAD_NO_MEMORY; *history is empty then. */
EadStatus ead_loss_history_read(const char *path, EadLossHistory *history);

/* Harmless on an empty (zeroed) history. */
void ead_loss_history_free(EadLossHistory *history);
