/* Result files and report of an evaluation. */
#include "train/evaluate_files.h"

#include "train/loss_history.h"
#include "core/paths.h"
#include "train/result_files.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { OWN_TIMINGS = 4, TEXT_SIZE = 64 };

static EadStatus write_curve(const char *path, const EadCurve *curve, const char *y_name) {
    if (curve->count > 0) return ead_write_curve_csv(path, curve, "false_positive_rate", y_name);
    unlink(path);
    return EAD_OK;
}

typedef enum OutputFile { SCORES, ROC, PRO, METRICS } OutputFile;

static EadStatus write_one(const char *path, OutputFile file, const EadResults *results,
                           const EadFigures *figures) {
    int64_t count;
    const EadSample *samples = ead_evaluation_samples(results->evaluation, &count);
    switch (file) {
    case SCORES:
        return ead_write_scores_csv(path, samples, count);
    case ROC:
        return write_curve(path, &figures->roc, "true_positive_rate");
    case PRO:
        return write_curve(path, &figures->pro, "per_region_overlap");
    case METRICS:
        break;
    }
    return ead_write_metrics_json(path, figures);
}

static EadStatus write_figures(const char *folder, const EadResults *results, const EadFigures *figures) {
    static const char *const names[] = {
        [SCORES] = "scores.csv", [ROC] = "roc.csv", [PRO] = "pro.csv", [METRICS] = "metrics.json"};
    EadStatus status = EAD_OK;
    for (int file = SCORES; file <= METRICS && status == EAD_OK; file++) {
        char *path = ead_path_join(folder, names[file]);
        status = path ? write_one(path, (OutputFile)file, results, figures) : EAD_NO_MEMORY;
        free(path);
    }
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

static EadStatus write_report(const EadEvaluateSpec *spec, const EadResults *results,
                              const EadFigures *figures) {
    char model[128];
    EadLossHistory losses;
    Timings timings = {0};
    ead_describe_model(&spec->model->spec, model, sizeof model);
    EAD_TRY(read_losses(spec, &losses));
    EadStatus status = collect_timings(spec, results, &timings);
    EadReport report = {.title = spec->title,
                        .subtitle = spec->subtitle ? spec->subtitle : model,
                        .figures = figures,
                        .losses = losses.points,
                        .loss_count = losses.count,
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

EadStatus ead_evaluate_write(const EadEvaluateSpec *spec, const EadResults *results,
                             const EadFigures *figures) {
    EAD_TRY(write_figures(spec->output, results, figures));
    return write_report(spec, results, figures);
}
