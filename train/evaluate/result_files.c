/* What a run folder holds of an evaluation: CSV, JSON and the report. */
#include "train/evaluate/result_files.h"

#include "core/base/atomic_file.h"
#include "core/base/memory.h"
#include "core/base/paths.h"
#include "train/metrics/metrics_output.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { OWN_TIMINGS = 4, TEXT_SIZE = 64 };

static void write_field(FILE *stream, const char *text) {
    if (!strpbrk(text, "\",\r\n")) {
        fputs(text, stream);
        return;
    }
    putc('"', stream);
    for (; *text; text++) {
        if (*text == '"') putc('"', stream);
        putc(*text, stream);
    }
    putc('"', stream);
}

EadStatus ead_write_scores_csv(const char *path, const EadSample *samples, int64_t count) {
    EadAtomicFile file;
    EAD_TRY(ead_atomic_file_open(&file, path));
    fputs("path,label,defect,score\n", file.stream);
    for (int64_t i = 0; i < count; i++) {
        write_field(file.stream, samples[i].path);
        fprintf(file.stream, ",%d,", samples[i].anomalous);
        write_field(file.stream, samples[i].defect);
        fprintf(file.stream, ",%.9g\n", (double)samples[i].score);
    }
    return ead_atomic_file_commit(&file);
}

EadStatus ead_write_curve_csv(const char *path, const EadCurve *curve, const char *x_name,
                              const char *y_name) {
    EadAtomicFile file;
    EAD_TRY(ead_atomic_file_open(&file, path));
    fprintf(file.stream, "threshold,%s,%s\n", x_name, y_name);
    for (int64_t i = 0; i < curve->count; i++) {
        EadCurvePoint point = curve->points[i];
        fprintf(file.stream, "%.9g,%.12g,%.12g\n", point.threshold, point.x, point.y);
    }
    return ead_atomic_file_commit(&file);
}

EadStatus ead_write_metrics_json(const char *path, const EadMetrics *metrics) {
    EadAtomicFile file;
    EAD_TRY(ead_atomic_file_open(&file, path));
    EadJson json = {.stream = file.stream, .reals = true};
    ead_metrics_json(&json, NULL, metrics);
    putc('\n', file.stream);
    return ead_atomic_file_commit(&file);
}

/* ---- all files of an evaluation ---- */

/* A curve that is undefined leaves no file, nor that of an earlier evaluation. */
static EadStatus write_curve(const char *folder, const char *name, const EadCurve *curve, const char *x_name,
                             const char *y_name) {
    EadPath path;
    EAD_TRY(ead_path_in(path, folder, name));
    if (curve->count > 0) return ead_write_curve_csv(path, curve, x_name, y_name);
    unlink(path);
    return EAD_OK;
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
    out->rows = ead_new(out->count, sizeof *out->rows, "the report");
    if (!out->rows) return EAD_NO_MEMORY;
    for (int i = 0; i < spec->timing_count; i++) out->rows[i] = spec->timings[i];
    for (int i = 0; i < OWN_TIMINGS; i++)
        out->rows[spec->timing_count + i] = (EadKeyValue){keys[i], out->texts[i]};
    return EAD_OK;
}

static EadStatus write_report(const EadEvaluateSpec *spec, const EadResults *results) {
    char model[128];
    EadPath path, own_losses;
    EadLossHistory losses;
    Timings timings = {0};
    spec->model->method->functions->describe(spec->model, model, sizeof model);
    EAD_TRY(ead_path_in(path, spec->output, "report.html"));
    EAD_TRY(ead_path_in(own_losses, spec->output, "losses.csv"));
    EAD_TRY(ead_loss_history_read(spec->losses ? spec->losses : own_losses, &losses));
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
    if (status == EAD_OK) status = ead_report_write(path, &report);
    ead_loss_history_free(&losses);
    free(timings.rows);
    return status;
}

EadStatus ead_evaluate_write(const EadEvaluateSpec *spec, const EadResults *results) {
    EadPath scores, metrics;
    int64_t count;
    const EadSample *samples = ead_evaluation_samples(results->evaluation, &count);
    EAD_TRY(ead_path_in(scores, spec->output, "scores.csv"));
    EAD_TRY(ead_path_in(metrics, spec->output, "metrics.json"));
    EAD_TRY(ead_write_scores_csv(scores, samples, count));
    EAD_TRY(write_curves(spec->output, &results->metrics));
    EAD_TRY(ead_write_metrics_json(metrics, &results->metrics));
    return write_report(spec, results);
}
