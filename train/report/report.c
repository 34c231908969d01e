/* The JSON in the page of a run. Curves are thinned here; the metrics come from all points. */
#include "train/report/report.h"

#include "core/base/atomic_file.h"
#include "core/base/memory.h"
#include "core/base/paths.h"
#include "train/config/config.h"
#include "train/metrics/metrics_output.h"
#include "train/report/report_pictures.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LOSS_BINS  240
#define CURVE_STEP (1 / 1500.0) /* a third of a pixel: nobody could see what lies nearer */

enum { LOSS_DIGITS = 9, PLOT_DIGITS = 5 };

/* ---- the page around the data ---- */

/* The lines of report.html, where @css@ and @js@ are replaced already. */
static const char *const page[] = {
#include <report_page.inc> /* generated, see report.mk */
};
static const char data_mark[] = "@data@\n";

/* Writes the lines before the mark, or those after it. */
static void write_lines(FILE *stream, bool after) {
    bool found = false;
    for (size_t i = 0; i < sizeof page / sizeof *page; i++) {
        if (strcmp(page[i], data_mark) == 0)
            found = true;
        else if (found == after)
            fputs(page[i], stream);
    }
}

void ead_page_begin(EadJson *json, FILE *stream) {
    *json = (EadJson){.stream = stream, .in_script = true};
    write_lines(stream, false);
    ead_json_open(json, NULL, '{');
}

void ead_page_end(EadJson *json) {
    ead_json_close(json, '}');
    putc('\n', json->stream);
    write_lines(json->stream, true);
}

/* ---- metrics and scores ---- */

enum { MOST_NUMBERS = 20000, MOST_GROUPS = 400 }; /* in the page: a histogram and a curve need no more */

static int ascending(const void *left, const void *right) {
    float a = *(const float *)left, b = *(const float *)right;
    return (a > b) - (a < b);
}

void ead_set_json(EadJson *json, const char *key, float *values, int64_t count, double factor) {
    int64_t kept = count < MOST_NUMBERS ? count : MOST_NUMBERS;
    if (count > 0) qsort(values, (size_t)count, sizeof *values, ascending);
    ead_json_open(json, key, '{');
    ead_json_integer(json, "count", count);
    ead_json_open(json, "sorted", '[');
    for (int64_t i = 0; i < kept; i++)
        ead_json_float(json, NULL, (float)(factor * (double)values[(2 * i + 1) * count / (2 * kept)]));
    ead_json_close(json, ']');
    ead_json_close(json, '}');
}

static EadStatus write_numbers(EadJson *json, const char *key, EadNumbers numbers, double factor) {
    float *copy = ead_new(numbers.count, sizeof *copy, "the scores of the images");
    if (!copy) return EAD_NO_MEMORY;
    if (numbers.count > 0) memcpy(copy, numbers.values, (size_t)numbers.count * sizeof *copy);
    ead_set_json(json, key, copy, numbers.count, factor);
    free(copy);
    return EAD_OK;
}

/* Of the good images and of the others. */
static EadStatus write_scores(EadJson *json, const EadSample *samples, int64_t count) {
    static const char *const keys[] = {"good", "anomalous"};
    float *scores = ead_new(count, sizeof *scores, "the scores of the images");
    if (!scores) return EAD_NO_MEMORY;
    ead_json_open(json, "scores", '{');
    for (int anomalous = 0; anomalous < 2; anomalous++) {
        int64_t found = 0;
        for (int64_t i = 0; i < count; i++)
            if ((samples[i].anomalous != 0) == anomalous) scores[found++] = samples[i].score;
        ead_set_json(json, keys[anomalous], scores, found, 1);
    }
    ead_json_close(json, '}');
    free(scores);
    return EAD_OK;
}

/* threshold: that decides what a mistake is. */
static EadStatus write_metrics(EadJson *json, const EadReport *report, double threshold) {
    const EadMetrics *metrics = report->metrics;
    ead_metric_rows_json(json, "columns", metrics);
    ead_metrics_json(json, "metrics", metrics);
    ead_json_float(json, "threshold", (float)threshold);
    ead_json_flag(json, "has_threshold", metrics->has_threshold);
    ead_json_float(json, "pixel_threshold",
                   metrics->has_pixel_threshold ? metrics->pixel_threshold.value : NAN);
    return write_scores(json, report->samples, report->sample_count);
}

/* ---- images without labels ---- */

/* Least, mean and largest score of groups of images that follow each other, most_groups at most. */
static void write_course(EadJson *json, const float *scores, int64_t count) {
    int64_t size = (count + MOST_GROUPS - 1) / MOST_GROUPS;
    ead_json_integer(json, "group", size);
    ead_json_open(json, "course", '[');
    for (int64_t first = 0; first < count; first += size) {
        int64_t end = first + size < count ? first + size : count;
        float low = scores[first], high = low;
        double sum = 0;
        for (int64_t i = first; i < end; i++) {
            low = fminf(low, scores[i]);
            high = fmaxf(high, scores[i]);
            sum += (double)scores[i];
        }
        ead_json_open(json, NULL, '[');
        ead_json_number(json, NULL, (double)low, PLOT_DIGITS);
        ead_json_number(json, NULL, sum / (double)(end - first), PLOT_DIGITS);
        ead_json_number(json, NULL, (double)high, PLOT_DIGITS);
        ead_json_close(json, ']');
    }
    ead_json_close(json, ']');
}

static EadStatus write_unlabelled(EadJson *json, const EadUnlabelled *unlabelled) {
    ead_json_float(json, "threshold", (float)unlabelled->threshold);
    ead_json_flag(json, "has_threshold", !isnan(unlabelled->threshold));
    ead_json_integer(json, "failed", unlabelled->failed);
    ead_json_float(json, "pixel_threshold", unlabelled->heat.threshold);
    write_course(json, unlabelled->scores, unlabelled->count);
    ead_json_open(json, "scores", '{');
    EadStatus status = write_numbers(json, "images", (EadNumbers){unlabelled->scores, unlabelled->count}, 1);
    ead_json_close(json, '}');
    return status;
}

/* ---- curves ---- */

/* x and y in turns. */
static void write_curve(EadJson *json, const char *key, const EadCurve *curve) {
    if (curve->count == 0) return;
    EadCurvePoint kept = {.x = NAN};
    ead_json_open(json, key, '[');
    for (int i = 0; i < curve->count; i++) {
        EadCurvePoint point = curve->points[i];
        bool near = fabs(point.x - kept.x) < CURVE_STEP && fabs(point.y - kept.y) < CURVE_STEP;
        if (near && i + 1 < curve->count) continue;
        ead_json_number(json, NULL, point.x, PLOT_DIGITS);
        ead_json_number(json, NULL, point.y, PLOT_DIGITS);
        kept = point;
    }
    ead_json_close(json, ']');
}

static void write_curves(EadJson *json, const EadMetrics *metrics) {
    ead_json_open(json, "curves", '{');
    write_curve(json, "roc", &metrics->roc);
    write_curve(json, "pr", &metrics->pr);
    write_curve(json, "pro", &metrics->pro);
    write_curve(json, "pixel_pr", &metrics->pixel_pr);
    write_curve(json, "spro", &metrics->spro);
    write_curve(json, "pixel_roc", &metrics->pixel_roc);
    ead_json_close(json, '}');
}

/* ---- losses ---- */

/* The mean of a column over the rows [first, end), without what is not finite; NAN where nothing is. */
static double mean_of(const EadLossHistory *losses, int column, int first, int end) {
    double sum = 0, count = 0;
    for (int i = first; i < end; i++) {
        double value = losses->rows[(int64_t)i * (1 + losses->names.count) + column];
        if (isfinite(value)) sum += value, count += 1;
    }
    return count > 0 ? sum / count : NAN;
}

/* Column 0 is the step. */
static void write_means(EadJson *json, const char *key, const EadLossHistory *losses, int column) {
    int64_t count = losses->count, bins = count < LOSS_BINS ? count : LOSS_BINS;
    ead_json_open(json, key, '[');
    for (int64_t bin = 0; bin < bins; bin++)
        ead_json_number(json, NULL,
                        mean_of(losses, column, (int)(count * bin / bins), (int)(count * (bin + 1) / bins)),
                        LOSS_DIGITS);
    ead_json_close(json, ']');
}

void ead_losses_json(EadJson *json, const char *key, const EadLossHistory *losses) {
    if (losses->count == 0) return;
    ead_json_open(json, key, '{');
    ead_json_number(json, "last_step", mean_of(losses, 0, losses->count - 1, losses->count), 15);
    write_means(json, "steps", losses, 0);
    ead_json_open(json, "series", '[');
    for (int i = 0; i < losses->names.count; i++) {
        ead_json_open(json, NULL, '{');
        ead_json_string(json, "name", losses->names.items[i]);
        write_means(json, "values", losses, 1 + i);
        ead_json_close(json, '}');
    }
    ead_json_close(json, ']');
    ead_json_close(json, '}');
}

/* ---- settings, provenance ---- */

static void write_facts(EadJson *json, const char *key, const EadKeyValue *facts, int count) {
    ead_json_open(json, key, '[');
    for (int i = 0; i < count; i++) {
        ead_json_open(json, NULL, '[');
        ead_json_string(json, NULL, facts[i].key);
        ead_json_string(json, NULL, facts[i].value);
        ead_json_close(json, ']');
    }
    ead_json_close(json, ']');
}

/* What a key says in the default config and in this one, if that is not the same. */
static EadStatus write_change(EadJson *json, const EadConfig *defaults, const EadConfig *config, int key) {
    char *before = NULL, *now = NULL;
    EadStatus status = ead_config_value_text(defaults, (EadConfigKeyId)key, &before);
    if (status == EAD_OK) status = ead_config_value_text(config, (EadConfigKeyId)key, &now);
    if (status == EAD_OK && strcmp(before, now) != 0) {
        ead_json_open(json, NULL, '[');
        ead_json_string(json, NULL, ead_config_key(key)->rule.name);
        ead_json_string(json, NULL, now);
        ead_json_string(json, NULL, before);
        ead_json_close(json, ']');
    }
    free(before);
    free(now);
    return status;
}

/* Files and folders are not worth a line. */
static EadStatus write_changes(EadJson *json, const EadConfig *defaults, const EadConfig *config) {
    EadStatus status = EAD_OK;
    ead_json_open(json, "changed", '[');
    for (int key = 0; status == EAD_OK && key < EAD_CONFIG_KEYS; key++) {
        EadValueKind kind = ead_config_key(key)->rule.kind;
        if (ead_config_matters(key) && ead_config_reads(config, key) && kind != EAD_KIND_PATH &&
            kind != EAD_KIND_STRING)
            status = write_change(json, defaults, config, key);
    }
    ead_json_close(json, ']');
    return status;
}

/* The text, and unless it is no config of this version what is not as in the paper. */
static EadStatus write_config(EadJson *json, const char *text) {
    EadConfig defaults = {0}, config = {0};
    if (!text) return EAD_OK;
    ead_json_string(json, "config", text);
    EadStatus status = ead_config_defaults(&defaults);
    if (status == EAD_OK) status = ead_config_defaults(&config);
    if (status == EAD_OK) {
        EadStatus parsed = ead_config_parse(text, strlen(text), "config", &config);
        if (parsed == EAD_OK) status = write_changes(json, &defaults, &config);
        if (parsed == EAD_NO_MEMORY) status = parsed;
    }
    ead_config_free(&config);
    ead_config_free(&defaults);
    return status;
}

/* What a report of a test set says of it. */
static EadStatus write_labelled(EadJson *json, const EadReport *report, double threshold) {
    ead_json_flag(json, "of_validation", report->validation);
    EAD_TRY(write_metrics(json, report, threshold));
    EAD_TRY(write_numbers(json, "latency", report->seconds, 1e3));
    ead_json_integer(json, "side_by_side", report->threads);
    write_curves(json, report->metrics);
    if (report->losses) ead_losses_json(json, "losses", report->losses);
    return EAD_OK;
}

/* metrics NULL: of images without labels. */
static EadStatus write_gallery(EadJson *json, const char *path, const EadReport *report, double threshold) {
    const EadMetrics *metrics = report->metrics;
    EadPath folder;
    EadHeat heat = {0, 0, (float)NAN};
    if (!report->gallery || report->gallery->count == 0) return EAD_OK;
    if (!metrics)
        heat = report->unlabelled->heat;
    else if (metrics->has_pixel_threshold)
        heat.threshold = metrics->pixel_threshold.value;
    EAD_TRY(ead_path_folder(folder, path));
    return ead_report_write_gallery(json, folder, report->gallery, metrics ? threshold : (double)NAN, heat);
}

static EadStatus write_data(EadJson *json, const char *path, const EadReport *report) {
    const EadMetrics *metrics = report->metrics;
    double threshold = !metrics                 ? (double)NAN
                       : metrics->has_threshold ? (double)metrics->threshold.value
                                                : metrics->total.image_f1_threshold;
    ead_json_string(json, "kind", metrics ? "run" : "unlabelled");
    ead_json_string(json, "title", report->title ? report->title : "EfficientAD");
    ead_json_string(json, "subtitle", report->subtitle);
    EAD_TRY(metrics ? write_labelled(json, report, threshold) : write_unlabelled(json, report->unlabelled));
    EAD_TRY(write_numbers(json, "validation", report->validation_scores, 1));
    write_facts(json, "provenance", report->provenance, report->provenance_count);
    write_facts(json, "timings", report->timings, report->timing_count);
    EAD_TRY(write_config(json, report->config));
    return write_gallery(json, path, report, threshold);
}

EadStatus ead_report_write(const char *path, const EadReport *report) {
    EadAtomicFile file;
    EadJson json;
    EAD_TRY(ead_atomic_file_open(&file, path));
    ead_page_begin(&json, file.stream);
    EadStatus status = write_data(&json, path, report);
    ead_page_end(&json);
    if (status == EAD_OK) return ead_atomic_file_commit(&file);
    ead_atomic_file_discard(&file);
    return status;
}
