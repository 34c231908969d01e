/* The machine-readable results of a run folder: scores.csv, metrics.json and curves as CSV. All are written
 * atomically; errors are EAD_IO, EAD_NO_MEMORY. */
#ifndef EAD_TRAIN_RESULT_FILES_H
#define EAD_TRAIN_RESULT_FILES_H

#include "train/metrics/metrics.h"

/* scores.csv: header "path,label,defect,score", one line a sample in the order given, label 0 or 1, fields
 * quoted where RFC 4180 asks for it, lines end in LF, the score with 9 digits (reads back to the same float).
 */
EadStatus ead_write_scores_csv(const char *path, const EadSample *samples, int64_t count);

/* metrics.json: one object with the keys image_auroc, image_ap, image_f1_best, image_f1, image_tpr, image_fpr
 * (these three at the threshold, when one is set), au_pro_0.30, au_pro_<eval.pro_limit>, au_pro_0.05,
 * pixel_auroc, pixel_ap, pixel_f1_best, au_spro_0.01, _0.05, _0.10, _0.30, _1.00 (with defect channels: MVTec
 * LOCO), images, threshold (when set), validation_images, validation_fpr, validation_fpr_low and _high (the
 * share of the validation images that reaches the threshold, with its 95 % confidence interval, where their
 * scores are known), defects: {name: {the same keys}}, in that order; for MVTec LOCO the names are those of
 * defects_config.json (without au_pro_… and pixel_…), logical_anomalies, structural_anomalies and, where both
 * are there, mean. Fractions of 1; null where undefined; pixel metrics are absent without maps and masks. */
EadStatus ead_write_metrics_json(const char *path, const EadMetrics *metrics);

/* A curve: header "threshold,<x_name>,<y_name>", one line a point; the first threshold is "inf". */
EadStatus ead_write_curve_csv(const char *path, const EadCurve *curve, const char *x_name,
                              const char *y_name);

#endif
