/* The second half of an evaluation: from collected results to files. */
#ifndef EAD_TRAIN_EVALUATE_FILES_H
#define EAD_TRAIN_EVALUATE_FILES_H

#include "train/evaluate/evaluate.h"

/* Writes into spec->output: scores.csv, roc.csv, pr.csv, (with masks) pro.csv, pixel_roc.csv, pixel_pr.csv, (with
 * defect channels) spro.csv, metrics.json and report.html. A curve that is undefined leaves no file, nor that of an
 * earlier evaluation. Errors: EAD_IO, EAD_NO_MEMORY; EAD_BAD_FILE for a broken losses.csv. */
EadStatus ead_evaluate_write(const EadEvaluateSpec *spec, const EadResults *results);

#endif
