/* losses.csv of a run folder: one row a step, in order, with the numbers before that step's update. */
#ifndef EAD_TRAIN_LOSS_LOG_H
#define EAD_TRAIN_LOSS_LOG_H

#include "core/base/status.h"

#include <stdint.h>
#include <stdio.h>

/* The first lines of the files of training and distillation, without their ends. */
#define EAD_TRAINING_LOSSES     "step,loss_hard,loss_penalty,loss_ae,loss_stae,loss_total,lr"
#define EAD_DISTILLATION_LOSSES "step,loss,lr"

typedef struct EadLossLog {
    FILE *stream;
    char *path;
} EadLossLog;

/* Opens <path> for appending after row `done`: 0 starts a new file with the header (one of the above);
 * otherwise the rows of an earlier run up to step `done` are kept and later ones (written after the last
 * checkpoint) dropped. Errors: EAD_IO; EAD_BAD_FILE if those rows are not there; EAD_NO_MEMORY. */
EadStatus ead_loss_log_open(EadLossLog *log, const char *path, const char *header, int64_t done);

/* Appends the row of a step, as many values as the header has columns behind "step". Errors: EAD_IO. */
EadStatus ead_loss_log_append(EadLossLog *log, int64_t step, const float *values, int count);

/* Brings all rows to the disk. Errors: EAD_IO. */
EadStatus ead_loss_log_flush(EadLossLog *log);

/* Harmless on a zeroed log. */
void ead_loss_log_close(EadLossLog *log);

#endif
