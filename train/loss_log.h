/* losses.csv of a run folder: one row a step, in order, with the losses before that step's update. */
#ifndef EAD_TRAIN_LOSS_LOG_H
#define EAD_TRAIN_LOSS_LOG_H

#include "core/status.h"
#include "train/training_step.h"

#include <stdio.h>

/* The first line of the file, without its end. */
#define EAD_LOSS_LOG_HEADER "step,loss_hard,loss_penalty,loss_ae,loss_stae,loss_total,lr"

typedef struct EadLossLog {
    FILE *stream;
    char *path;
} EadLossLog;

/* Opens <path> for appending after row `done`: 0 starts a new file with the header; otherwise the rows of an
 * earlier run up to step `done` are kept and later ones (written after the last checkpoint) dropped. Errors:
 * EAD_IO; EAD_BAD_FILE if those rows are not there; EAD_NO_MEMORY. */
EadStatus ead_loss_log_open(EadLossLog *log, const char *path, int64_t done);

/* Appends the row of a step. Errors: EAD_IO. */
EadStatus ead_loss_log_append(EadLossLog *log, int64_t step, const EadStepLosses *losses);

/* Brings all rows to the disk. Errors: EAD_IO. */
EadStatus ead_loss_log_flush(EadLossLog *log);

/* Harmless on a zeroed log. */
void ead_loss_log_close(EadLossLog *log);

#endif
