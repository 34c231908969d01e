/* What a run folder holds of an evaluation: CSV, JSON and the report. */
#include "train/evaluate/result_files.h"

#include "core/base/atomic_file.h"
#include "core/base/memory.h"
#include "core/base/printing.h"
#include "core/file/file_role.h"
#include "core/file/output_check.h"
#include "core/base/paths.h"
#include "data/dataset/csv_reader.h"
#include "train/metrics/metrics_output.h"
#include "train/support/progress.h"

#include <assert.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SCORES_HEAD "path,label,defect,score"

EadStatus ead_write_scores_csv(const char *path, const EadSample *samples, int64_t count) {
    EadAtomicFile file;
    char score[EAD_NUMBER_TEXT];
    EAD_TRY(ead_atomic_file_open(&file, path));
    fputs(SCORES_HEAD "\n", file.stream);
    for (int64_t i = 0; i < count; i++) {
        ead_csv_write_text(file.stream, samples[i].path);
        fprintf(file.stream, ",%d,", samples[i].anomalous);
        ead_csv_write_text(file.stream, samples[i].defect);
        fprintf(file.stream, ",%s\n", ead_float_text(samples[i].score, score));
    }
    return ead_atomic_file_commit(&file);
}

EadStatus ead_write_curve_csv(const char *path, const EadCurve *curve, const char *x_name,
                              const char *y_name) {
    EadAtomicFile file;
    char threshold[EAD_NUMBER_TEXT];
    EAD_TRY(ead_atomic_file_open(&file, path));
    fprintf(file.stream, "threshold,%s,%s\n", x_name, y_name);
    for (int64_t i = 0; i < curve->count; i++) {
        EadCurvePoint point = curve->points[i];
        ead_float_text((float)point.threshold, threshold);
        fprintf(file.stream, "%s,%.12g,%.12g\n", threshold, point.x, point.y);
    }
    return ead_atomic_file_commit(&file);
}

EadStatus ead_write_metrics_json(const char *path, const EadMetrics *metrics) {
    EadAtomicFile file;
    EAD_TRY(ead_atomic_file_open(&file, path));
    ead_metrics_print_json(file.stream, metrics);
    return ead_atomic_file_commit(&file);
}

/* What it took to score an image, apart from metrics.json, which is the same each time. */
static EadStatus write_speed_json(const char *path, const EadEvaluateSpec *spec, const EadResults *results) {
    int images = spec->dataset->test_count - results->unscored.count;
    EadAtomicFile file;
    EAD_TRY(ead_atomic_file_open(&file, path));
    EadJson json = {.stream = file.stream, .reals = true};
    ead_json_open(&json, NULL, '{');
    ead_json_number(&json, "latency_ms", 1e3 * results->latency_seconds, 6);
    ead_json_integer(&json, "images", images);
    ead_json_string(&json, "device", spec->plan.backend ? spec->plan.backend->name : "cpu");
    ead_json_close(&json, '}');
    putc('\n', file.stream);
    return ead_atomic_file_commit(&file);
}

/* ---- all files of an evaluation ---- */

/* A curve that is undefined has no file; that of an earlier evaluation becomes a header without rows. */
static EadStatus write_curve(const char *folder, const char *name, const EadCurve *curve, const char *x_name,
                             const char *y_name) {
    EadPath path;
    EAD_TRY(ead_path_in(path, folder, name));
    bool stands = access(path, F_OK) == 0;
    return curve->count > 0 || stands ? ead_write_curve_csv(path, curve, x_name, y_name) : EAD_OK;
}

#define FPR  "false_positive_rate"
#define TPR  "true_positive_rate"
#define SPRO "saturated_per_region_overlap"

static const struct {
    const char *name, *x, *y;
    size_t curve; /* its place in EadMetrics */
} curves[] = {
    {"roc.csv", FPR, TPR, offsetof(EadMetrics, roc)},
    {"pr.csv", "recall", "precision", offsetof(EadMetrics, pr)},
    {"pro.csv", FPR, "per_region_overlap", offsetof(EadMetrics, pro)},
    {"pixel_roc.csv", FPR, TPR, offsetof(EadMetrics, pixel_roc)},
    {"pixel_pr.csv", "recall", "precision", offsetof(EadMetrics, pixel_pr)},
    {"spro.csv", FPR, SPRO, offsetof(EadMetrics, spro)},
};

/* The others, and what they are known by. */
static const struct {
    const char *name, *begins, *holds; /* see ead_check_replaced() */
} files[] = {
    {"scores.csv", SCORES_HEAD, NULL},
    {"metrics.json", "{", EAD_METRICS_MARK},
    {"speed.json", "{", "\"latency_ms\""},
    {"report.html", EAD_PAGE_BEGINS, EAD_PAGE_MARK},
};

enum { CURVES = sizeof curves / sizeof *curves, FILES = sizeof files / sizeof *files };

static EadStatus write_curves(const char *folder, const EadMetrics *metrics) {
    for (int i = 0; i < CURVES; i++) {
        const EadCurve *curve = (const void *)((const char *)metrics + curves[i].curve);
        EAD_TRY(write_curve(folder, curves[i].name, curve, curves[i].x, curves[i].y));
    }
    for (int i = 0; i < metrics->defect_count && metrics->has_mean; i++) {
        char name[64];
        snprintf(name, sizeof name, "spro_%.40s.csv", metrics->defects[i].name);
        EAD_TRY(write_curve(folder, name, &metrics->defects[i].spro, FPR, SPRO));
    }
    return EAD_OK;
}

EadStatus ead_evaluate_write_report(const EadEvaluateSpec *spec, const EadResults *results) {
    static const char *const keys[] = {"inference, one image", "decoding, mean", "evaluation",
                                       "evaluation rate"};
    enum { OWN = sizeof keys / sizeof *keys, OF_MODEL = 2, TEXT_SIZE = 64 };
    double images = spec->dataset->test_count, total = results->total_seconds;
    char model[512], texts[OWN][TEXT_SIZE], duration[EAD_DURATION_SIZE];
    EadPath path, own_losses;
    EadLossHistory losses = {0};
    EadStatus status = EAD_OK;
    if (spec->model) spec->model->method->functions->describe(spec->model, model, sizeof model);
    EAD_TRY(ead_path_in(path, spec->output, "report.html"));
    EAD_TRY(ead_path_in(own_losses, spec->output, "losses.csv"));
    if (spec->model) status = ead_loss_history_read(spec->losses ? spec->losses : own_losses, &losses);
    if (status == EAD_NO_MEMORY) return status;
    if (status != EAD_OK) ead_print(stderr, "warning: %s; the report shows no losses\n", ead_error_message());
    snprintf(texts[0], TEXT_SIZE, "%s an image", ead_duration_text(results->latency_seconds, duration));
    snprintf(texts[1], TEXT_SIZE, "%s an image",
             ead_duration_text(results->decoding_seconds / images, duration));
    snprintf(texts[2], TEXT_SIZE, "%s for %d images", ead_duration_text(total, duration),
             spec->dataset->test_count);
    snprintf(texts[3], TEXT_SIZE, "%.1f images/s", total > 0 ? images / total : 0);
    EadKeyValue *timings = ead_new(spec->timing_count + OWN, sizeof *timings, "the report");
    int count = 0;
    for (; timings && count < spec->timing_count; count++) timings[count] = spec->timings[count];
    for (int i = spec->model ? 0 : OF_MODEL; timings && i < OWN; i++)
        timings[count++] = (EadKeyValue){keys[i], texts[i]};
    EadReport report = {.title = spec->title,
                        .subtitle = spec->subtitle ? spec->subtitle : model,
                        .metrics = &results->metrics,
                        .validation = spec->validation,
                        .validation_scores = {spec->validation_scores, spec->validation_count},
                        .seconds = {results->seconds, results->timed},
                        .threads = results->threads,
                        .losses = &losses,
                        .gallery = &results->gallery,
                        .config = spec->config,
                        .provenance = spec->provenance,
                        .provenance_count = spec->provenance_count,
                        .timings = timings,
                        .timing_count = count};
    report.samples = ead_evaluation_samples(results->evaluation, &report.sample_count);
    status = timings ? ead_report_write(path, &report) : EAD_NO_MEMORY;
    ead_loss_history_free(&losses);
    free(timings);
    return status;
}

/* A link is followed in writing: it must not lead to a picture, a model or another input. */
static EadStatus check_link(const char *path, const char *data) {
    const unsigned results = EAD_ROLE(UNKNOWN) | EAD_ROLE(METRICS) | EAD_ROLE(TABLE) | EAD_ROLE(PAGE);
    struct stat entry;
    if (lstat(path, &entry) != 0 || !S_ISLNK(entry.st_mode) || access(path, F_OK) != 0) return EAD_OK;
    EadFileRole role = ead_file_role(path);
    bool of_data = *data && ead_path_lies_within(path, data);
    if (!of_data && ((1u << role) & (results | EAD_ROLES_TEXT))) return EAD_OK;
    return ead_fail(EAD_BAD_ARGUMENT,
                    "%s: is a link to %s%s, which would be replaced; delete the link, or --output names "
                    "another place",
                    path, ead_file_role_name(role), of_data ? " of the data set" : "");
}

/* What is no result of this program is not replaced. Kinds of defects give names to curves. */
static EadStatus check_replaced(const char *path, const char *name) {
    char head[128];
    for (int i = 0; i < FILES; i++)
        if (strcmp(name, files[i].name) == 0)
            return ead_check_replaced(path, "--output", files[i].begins, files[i].holds);
    for (int i = 0; i < CURVES; i++) {
        bool of_kind = strcmp(curves[i].y, SPRO) == 0 && strncmp(name, "spro_", strlen("spro_")) == 0;
        if (strcmp(name, curves[i].name) != 0 && !of_kind) continue;
        snprintf(head, sizeof head, "threshold,%s,%s", curves[i].x, curves[i].y);
        return ead_check_replaced(path, "--output", head, NULL);
    }
    return EAD_OK;
}

/* What stands there under the name of a table or page. */
static EadStatus check_standing(const char *folder, const char *name, const char *data) {
    EadPath path;
    EAD_TRY(ead_path_in(path, folder, name));
    EAD_TRY(check_link(path, data));
    return check_replaced(path, name);
}

/* All of them in the folder. */
static void check_all_standing(const char *folder, const char *data, EadProblems *problems) {
    EadStringList names = {0};
    ead_problems_add(problems, ead_folder_names(*folder ? folder : ".", &names));
    for (int i = 0; i < names.count; i++)
        if (ead_path_has_extension(names.items[i], ".csv, .json, .html"))
            ead_problems_add(problems, check_standing(folder, names.items[i], data));
    ead_strings_free(&names);
}

static EadStatus check_pictures(const char *folder, const char *name) {
    EadPath path;
    EAD_TRY(ead_path_in(path, folder, name));
    return ead_check_output_folder(path, "--output");
}

static EadStatus check_file(const char *folder, const char *name) {
    EadPath path;
    EAD_TRY(ead_path_in(path, folder, name));
    return ead_check_output_in_run(path);
}

void ead_evaluate_check_outputs(const char *folder, const char *data, bool maps, bool overlays,
                                EadProblems *problems) {
    EadStatus status = ead_check_output_folder(folder, "--output");
    ead_problems_add(problems, status);
    if (status != EAD_OK) return;
    if (maps) ead_problems_add(problems, check_pictures(folder, "maps"));
    if (overlays) ead_problems_add(problems, check_pictures(folder, "overlays"));
    for (int i = 0; i < FILES + CURVES; i++)
        ead_problems_add(problems, check_file(folder, i < FILES ? files[i].name : curves[i - FILES].name));
    check_all_standing(folder, data, problems);
}

EadStatus ead_evaluate_write(const EadEvaluateSpec *spec, const EadResults *results) {
    EadPath path;
    int64_t count;
    const EadSample *samples = ead_evaluation_samples(results->evaluation, &count);
    EAD_TRY(ead_path_in(path, spec->output, "scores.csv"));
    EAD_TRY(ead_write_scores_csv(path, samples, count));
    EAD_TRY(write_curves(spec->output, &results->metrics));
    EAD_TRY(ead_path_in(path, spec->output, "metrics.json"));
    EAD_TRY(ead_write_metrics_json(path, &results->metrics));
    EAD_TRY(ead_path_in(path, spec->output, "speed.json"));
    if (spec->model) EAD_TRY(write_speed_json(path, spec, results));
    return ead_evaluate_write_report(spec, results);
}

/* Before the files, which a full disk may refuse. On stdout what metrics.json will hold, so that what reads the pipe
 * and what reads the file see the same. */
static void print_metrics(const EadEvaluateSpec *spec, const EadMetrics *metrics) {
    assert(spec->thresholds);
    ead_print_metrics(stderr, metrics);
    ead_thresholds_print(stderr, spec->thresholds);
    ead_metrics_print_json(stdout, metrics); /* main() looks for errors */
}

EadStatus ead_evaluate_deliver(const EadEvaluateSpec *spec, const EadResults *results) {
    EadPath file, report;
    print_metrics(spec, &results->metrics);
    EAD_TRY(ead_evaluate_write(spec, results));
    EAD_TRY(ead_path_in(file, spec->output, "metrics.json"));
    EAD_TRY(ead_path_in(report, spec->output, "report.html"));
    ead_print(stderr, "metrics: %s\n", file);
    ead_print(stderr, "report:  %s\n", report);
    return ead_results_complete(results);
}
