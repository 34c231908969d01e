/* losses.csv read back, for the loss curves of the report. */
#ifndef EAD_TRAIN_LOSS_HISTORY_H
#define EAD_TRAIN_LOSS_HISTORY_H

#include "train/report/report_html.h"

typedef struct EadLossHistory {
    EadLossPoint *points; /* [count], owned, in order of step */
    int64_t count, capacity;
} EadLossHistory;

/* Reads a losses.csv (header step,loss_hard,loss_penalty,loss_ae,loss_stae,loss_total,lr). A file that does
 * not exist gives an empty history. Errors: EAD_IO; EAD_BAD_FILE, "FILE:LINE: ..."; EAD_NO_MEMORY; *history
 * is empty then. */
EadStatus ead_loss_history_read(const char *path, EadLossHistory *history);

/* Harmless on an empty (zeroed) history. */
void ead_loss_history_free(EadLossHistory *history);

#endif
