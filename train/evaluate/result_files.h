/* The results in a run folder: scores.csv, metrics.json, speed.json, curves as CSV, the report. All are written
 * atomically; errors are EAD_IO, EAD_NO_MEMORY. */
#pragma once

#include "train/evaluate/evaluate.h"
#include "train/support/problems.h"

/* scores.csv: header "path,label,defect,score", one line a sample in the order given, label 0 or 1, fields
 * quoted where RFC 4180 asks for it, lines end in LF, scores are read back as the same float. */
EadStatus ead_write_scores_csv(const char *path, const EadSample *samples, int64_t count);

/* What the metrics.json of an evaluation, or of a distillation, hold. */
#define EAD_METRICS_MARK "\"image_auroc\"|\"held_out_loss\""

/* metrics.json: see ead_metrics_json(). */
EadStatus ead_write_metrics_json(const char *path, const EadMetrics *metrics);

/* A curve: header "threshold,<x_name>,<y_name>", one line a point; the first threshold is "inf". */
EadStatus ead_write_curve_csv(const char *path, const EadCurve *curve, const char *x_name,
                              const char *y_name);

/* Adds to problems what ead_evaluate() and ead_evaluate_write() will not be able to write into the folder, which need not
 * exist; each table or page that is a link to a file that is none, or that lies below data, the data set; and what stands
 * in the way of one and was not written by this program. */
void ead_evaluate_check_outputs(const char *folder, const char *data, bool maps, bool overlays,
                                EadProblems *problems);

/* Writes into spec->output: scores.csv, roc.csv, pr.csv, (with masks) pro.csv, pixel_roc.csv, pixel_pr.csv,
 * (with defect channels) spro.csv, metrics.json, (of a model) speed.json and report.html. A curve that is undefined leaves no file,
 * nor that of an earlier evaluation. Errors: EAD_IO, EAD_NO_MEMORY; EAD_BAD_FILE for a broken losses.csv. */
EadStatus ead_evaluate_write(const EadEvaluateSpec *spec, const EadResults *results);

/* Prints the table on stderr and metrics.json on stdout, then ead_evaluate_write() and ead_results_complete().
 * spec->thresholds must be there. Errors: theirs. */
EadStatus ead_evaluate_deliver(const EadEvaluateSpec *spec, const EadResults *results);

/* The report alone. Errors: as above. */
EadStatus ead_evaluate_write_report(const EadEvaluateSpec *spec, const EadResults *results);
