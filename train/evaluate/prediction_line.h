/* The JSON line that predict prints for an input. */
#ifndef EAD_TRAIN_PREDICTION_LINE_H
#define EAD_TRAIN_PREDICTION_LINE_H

#include "core/base/status.h"

#include <stdio.h>

typedef struct EadPrediction {
    const char *path;
    const char *error; /* why there is no score; the rest is then left out */
    float score;
    double threshold;                    /* score >= threshold is anomalous; NAN: not told */
    const char *map_path, *overlay_path; /* files written, or NULL */
} EadPrediction;

/* Prints {"path":...,"score":...,"anomalous":...,"map":...,"overlay":...} or {"path":...,"error":...} as one
 * line and flushes, so that a program at the other end of a pipe gets it at once. The score has 9 digits
 * (reads back to the same float). Errors: EAD_IO. */
EadStatus ead_prediction_print(FILE *stream, const EadPrediction *prediction);

#endif
