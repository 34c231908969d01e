/* losses.csv of a run folder: one row a step, in order, with the numbers before that step's update; the
 * report reads it back (train/report/loss_history.h). */
#pragma once

#include "core/base/status.h"

#include <stdint.h>
#include <stdio.h>

/* A loss of a method. A list ends with a name that is NULL; the learning rate "lr" follows by itself. */
typedef struct EadLossColumn {
    const char *name; /* in losses.csv */
    const char *tag;  /* in TensorBoard; what stands before the slash becomes a group */
} EadLossColumn;

int ead_loss_count(const EadLossColumn *columns);

/* The first line, "step,NAME,...,lr". */
enum { EAD_LOSS_HEADER = 160 };
void ead_loss_header(const EadLossColumn *columns, char header[EAD_LOSS_HEADER]);

typedef struct EadLossLog {
    char *path;
    char *kept;   /* until it is opened: the header and the rows that stay */
    FILE *stream; /* once it is opened */
} EadLossLog;

/* Readies <path> for appending after step `done` and writes nothing: 0 will start a new file with the header;
 * otherwise the rows of an earlier run up to step `done` are kept, also where a spreadsheet has saved them,
 * and later ones (written after the last checkpoint) dropped. Where the file is missing, that is said, and it
 * begins behind `done`. Errors: EAD_IO; EAD_BAD_FILE, with the cure, if the rows are not those;
 * EAD_NO_MEMORY. */
EadStatus ead_loss_log_prepare(EadLossLog *log, const char *path, const EadLossColumn *columns, int64_t done);

/* The same for a file with rows of some steps only, which may be missing: of those up to `done`, what is there stays. */
EadStatus ead_loss_log_prepare_sparse(EadLossLog *log, const char *path, const EadLossColumn *columns,
                                      int64_t done);

/* Writes what is kept, and opens the file. Errors: EAD_IO, EAD_NO_MEMORY. */
EadStatus ead_loss_log_open(EadLossLog *log);

/* Appends the row of a step: the losses and the learning rate, `count` values. Errors: EAD_IO. */
EadStatus ead_loss_log_append(EadLossLog *log, int64_t step, const float *values, int count);

/* Brings all rows to the disk. Errors: EAD_IO. */
EadStatus ead_loss_log_flush(EadLossLog *log);

/* Harmless on a zeroed log. */
void ead_loss_log_close(EadLossLog *log);
