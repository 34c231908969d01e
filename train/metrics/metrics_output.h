/* The table of metrics, and the two ways to show them: JSON and a table for people. */
#pragma once

#include "train/metrics/metrics.h"
#include "train/support/json_writer.h"

/* Places where a metric is shown, see metrics.def. */
enum {
    EAD_SHOW_TABLE = 1,
    EAD_SHOW_TILE = 2,
    EAD_SHOW_DEFECTS = 4,
    EAD_SHOW_SWEEP = 8,
    EAD_SHOW_KIND = 16,
    EAD_SHOW_SCENARIO = 32,
};

typedef enum EadMetricScope {
    EAD_SCOPE_IMAGES,
    EAD_SCOPE_THRESHOLD,
    EAD_SCOPE_PIXELS,
    EAD_SCOPE_PRO_LIMIT,
    EAD_SCOPE_CHANNELS,
} EadMetricScope;

typedef struct EadMetricRow {
    EadMetricScope scope;
    const char *key, *column, *title;
    unsigned places;
} EadMetricRow;

extern const EadMetricRow ead_metric_rows[EAD_METRICS];

/* Writes the object of metrics.json: image_auroc, ... (all of metrics.def that are in scope), images,
 * threshold (when set), validation_images, validation_fpr, validation_fpr_low and _high (the share of the
 * validation images that reaches the threshold, with its 95 % confidence interval, where their scores are
 * known), pixel_threshold, validation_region_fpr, validation_region_fpr_low and _high (the share of these images that
 * has a region, likewise), training_ended (with train.until_converged), defects: {name: {the same keys}}, in that order; for MVTec LOCO the names are those of
 * defects_config.json (without metrics of the pixels but AU-sPRO), logical_anomalies, structural_anomalies
 * and, where both are there, mean. Fractions of 1; null where undefined. */
void ead_metrics_json(EadJson *json, const char *key, const EadMetrics *metrics);

/* Prints that object as metrics.json holds it, with a line's end. */
void ead_metrics_print_json(FILE *stream, const EadMetrics *metrics);

/* The array that describes metrics.def for a page: {key as above, column, title, places: [...]}. */
void ead_metric_rows_json(EadJson *json, const char *key, const EadMetrics *metrics);

/* Prints the main metrics, a line for all images and one for each kind of defect; "-" where undefined. */
void ead_print_metrics(FILE *stream, const EadMetrics *metrics);
