/* The second half of an evaluation: from collected results to files. */
#ifndef EAD_TRAIN_EVALUATE_FILES_H
#define EAD_TRAIN_EVALUATE_FILES_H

#include "train/evaluate/evaluate.h"

/* What the loop over the test images leaves behind. */
typedef struct EadResults {
    EadEvaluation *evaluation;
    EadGallery gallery;
    double decoding_seconds, inference_seconds, total_seconds; /* over all images */
} EadResults;

/* Writes scores.csv, the curves as CSV, metrics.json and report.html into spec->output. A curve that is
 * undefined leaves no file, nor that of an earlier evaluation. Errors: EAD_IO, EAD_NO_MEMORY; EAD_BAD_FILE
 * for a broken losses.csv. */
EadStatus ead_evaluate_write(const EadEvaluateSpec *spec, const EadResults *results,
                             const EadMetrics *metrics);

#endif
