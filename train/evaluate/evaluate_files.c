/* Result files and report of an evaluation. */
#include "train/evaluate/evaluate_files.h"

#include "core/base/paths.h"
#include "train/evaluate/result_files.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { OWN_TIMINGS = 4, TEXT_SIZE = 64 };

/* A curve that is undefined leaves no file, nor that of an earlier evaluation. */
static EadStatus write_curve(const char *folder, const char *name, const EadCurve *curve, const char *x_name,
                             const char *y_name) {
    char *path = ead_path_join(folder, name);
    EadStatus status = path ? EAD_OK : EAD_NO_MEMORY;
    if (path && curve->count > 0)
        status = ead_write_curve_csv(path, curve, x_name, y_name);
    else if (path)
        unlink(path);
    free(path);
    return status;
}

static EadStatus write_curves(const char *folder, const EadMetrics *metrics) {
    static const char fpr[] = "false_positive_rate", tpr[] = "true_positive_rate";
    EAD_TRY(write_curve(folder, "roc.csv", &metrics->roc, fpr, tpr));
    EAD_TRY(write_curve(folder, "pr.csv", &metrics->pr, "recall", "precision"));
    EAD_TRY(write_curve(folder, "pro.csv", &metrics->pro, fpr, "per_region_overlap"));
    EAD_TRY(write_curve(folder, "pixel_roc.csv", &metrics->pixel_roc, fpr, tpr));
    EAD_TRY(write_curve(folder, "pixel_pr.csv", &metrics->pixel_pr, "recall", "precision"));
    EAD_TRY(write_curve(folder, "spro.csv", &metrics->spro, fpr, "saturated_per_region_overlap"));
    for (int i = 0; i < metrics->defect_count && metrics->has_mean; i++) {
        char name[64];
        snprintf(name, sizeof name, "spro_%.40s.csv", metrics->defects[i].name);
        EAD_TRY(write_curve(folder, name, &metrics->defects[i].spro, fpr, "saturated_per_region_overlap"));
    }
    return EAD_OK;
}

static EadStatus write_metrics(const char *folder, const EadResults *results, const EadMetrics *metrics) {
    int64_t count;
    const EadSample *samples = ead_evaluation_samples(results->evaluation, &count);
    char *scores = ead_path_join(folder, "scores.csv"), *file = ead_path_join(folder, "metrics.json");
    EadStatus status = scores && file ? ead_write_scores_csv(scores, samples, count) : EAD_NO_MEMORY;
    if (status == EAD_OK) status = write_curves(folder, metrics);
    if (status == EAD_OK) status = ead_write_metrics_json(file, metrics);
    free(scores);
    free(file);
    return status;
}

/* Texts of the measured times; the table's rows point into it. */
typedef struct Timings {
    char texts[OWN_TIMINGS][TEXT_SIZE];
    EadKeyValue *rows; /* [count], owned */
    int count;
} Timings;

static EadStatus collect_timings(const EadEvaluateSpec *spec, const EadResults *results, Timings *out) {
    static const char *const keys[OWN_TIMINGS] = {"inference, mean", "decoding, mean", "evaluation",
                                                  "evaluation rate"};
    double images = spec->dataset->test_count, total = results->total_seconds;
    snprintf(out->texts[0], TEXT_SIZE, "%.1f ms an image", 1e3 * results->inference_seconds / images);
    snprintf(out->texts[1], TEXT_SIZE, "%.1f ms an image", 1e3 * results->decoding_seconds / images);
    snprintf(out->texts[2], TEXT_SIZE, "%.1f s for %d images", total, spec->dataset->test_count);
    snprintf(out->texts[3], TEXT_SIZE, "%.1f images/s", total > 0 ? images / total : 0);
    out->count = spec->timing_count + OWN_TIMINGS;
    out->rows = calloc((size_t)out->count, sizeof *out->rows);
    if (!out->rows) return ead_fail(EAD_NO_MEMORY, "no memory for the report");
    for (int i = 0; i < spec->timing_count; i++) out->rows[i] = spec->timings[i];
    for (int i = 0; i < OWN_TIMINGS; i++)
        out->rows[spec->timing_count + i] = (EadKeyValue){keys[i], out->texts[i]};
    return EAD_OK;
}

static EadStatus read_losses(const EadEvaluateSpec *spec, EadLossHistory *history) {
    if (spec->losses) return ead_loss_history_read(spec->losses, history);
    char *path = ead_path_join(spec->output, "losses.csv");
    EadStatus status = path ? ead_loss_history_read(path, history) : EAD_NO_MEMORY;
    free(path);
    return status;
}

static EadStatus write_page(const EadEvaluateSpec *spec, const EadReport *report) {
    char *path = ead_path_join(spec->output, "report.html");
    EadStatus status = path ? ead_report_write(path, report) : EAD_NO_MEMORY;
    free(path);
    return status;
}

static EadStatus write_report(const EadEvaluateSpec *spec, const EadResults *results) {
    char model[128];
    EadLossHistory losses;
    Timings timings = {0};
    spec->model->method->functions->describe(spec->model, model, sizeof model);
    EAD_TRY(read_losses(spec, &losses));
    EadStatus status = collect_timings(spec, results, &timings);
    EadReport report = {.title = spec->title,
                        .subtitle = spec->subtitle ? spec->subtitle : model,
                        .metrics = &results->metrics,
                        .losses = &losses,
                        .gallery = &results->gallery,
                        .config = spec->config,
                        .provenance = spec->provenance,
                        .provenance_count = spec->provenance_count,
                        .timings = timings.rows,
                        .timing_count = timings.count};
    report.samples = ead_evaluation_samples(results->evaluation, &report.sample_count);
    if (status == EAD_OK) status = write_page(spec, &report);
    ead_loss_history_free(&losses);
    free(timings.rows);
    return status;
}

EadStatus ead_evaluate_write(const EadEvaluateSpec *spec, const EadResults *results) {
    EAD_TRY(write_metrics(spec->output, results, &results->metrics));
    return write_report(spec, results);
}
