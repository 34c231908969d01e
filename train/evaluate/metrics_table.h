/* The result table for people. */
#ifndef EAD_TRAIN_METRICS_TABLE_H
#define EAD_TRAIN_METRICS_TABLE_H

#include "train/metrics/metrics.h"

#include <stdio.h>

/* Prints a table of the metrics, one line for all images and one for each kind of defect; fractions of 1 as
 * in metrics.json, "-" where undefined. */
void ead_print_metrics(FILE *stream, const EadMetrics *metrics);

#endif
