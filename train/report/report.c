/* The JSON in the page of a run. Curves are thinned here; the metrics come from all points. */
#include "train/report/report.h"

#include "core/base/atomic_file.h"
#include "core/base/memory.h"
#include "data/codec/codec.h"
#include "train/config/config.h"
#include "train/metrics/metrics_output.h"
#include "train/report/overlay.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define JPEG_QUALITY 82
#define LOSS_BINS    240
#define CURVE_STEP   (1 / 1500.0) /* a third of a pixel: nobody could see what lies nearer */

enum { FLOAT_DIGITS = 9, PLOT_DIGITS = 5 };

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

/* threshold: that decides what a mistake is. */
static void write_metrics(EadJson *json, const EadReport *report, double threshold) {
    ead_metric_rows_json(json, "columns", report->metrics);
    ead_metrics_json(json, "metrics", report->metrics);
    ead_json_number(json, "threshold", threshold, FLOAT_DIGITS);
    ead_json_flag(json, "has_threshold", report->metrics->has_threshold);
    ead_json_open(json, "scores", '[');
    for (int64_t i = 0; i < report->sample_count; i++) {
        ead_json_open(json, NULL, '[');
        ead_json_number(json, NULL, (double)report->samples[i].score, FLOAT_DIGITS);
        ead_json_integer(json, NULL, report->samples[i].anomalous != 0);
        ead_json_close(json, ']');
    }
    ead_json_close(json, ']');
}

/* ---- images without labels ---- */

enum { MOST_SCORES = 20000, MOST_GROUPS = 400 }; /* in the page: a histogram and a curve need no more */

static int ascending(const void *left, const void *right) {
    float a = *(const float *)left, b = *(const float *)right;
    return (a > b) - (a < b);
}

/* All, or evenly spaced order statistics of them, which have the same histogram. */
static EadStatus write_scores(EadJson *json, const char *key, const float *scores, int64_t count) {
    int64_t kept = count < MOST_SCORES ? count : MOST_SCORES;
    float *sorted = ead_new(count, sizeof *sorted, "the scores of the images");
    if (!sorted) return EAD_NO_MEMORY;
    if (count > 0) memcpy(sorted, scores, (size_t)count * sizeof *sorted);
    qsort(sorted, (size_t)count, sizeof *sorted, ascending);
    ead_json_open(json, key, '[');
    for (int64_t i = 0; i < kept; i++)
        ead_json_number(json, NULL, (double)sorted[(2 * i + 1) * count / (2 * kept)], FLOAT_DIGITS);
    ead_json_close(json, ']');
    free(sorted);
    return EAD_OK;
}

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
    const float *scores = unlabelled->scores;
    int64_t anomalous = 0;
    for (int64_t i = 0; i < unlabelled->count; i++) anomalous += (double)scores[i] >= unlabelled->threshold;
    ead_json_number(json, "threshold", unlabelled->threshold, FLOAT_DIGITS);
    ead_json_integer(json, "count", unlabelled->count);
    ead_json_integer(json, "anomalous", anomalous);
    ead_json_integer(json, "failed", unlabelled->failed);
    ead_json_number(json, "pixel_threshold", (double)unlabelled->heat.threshold, FLOAT_DIGITS);
    write_course(json, scores, unlabelled->count);
    EAD_TRY(write_scores(json, "scores", scores, unlabelled->count));
    return write_scores(json, "validation", unlabelled->validation, unlabelled->validation_count);
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
                        FLOAT_DIGITS);
    ead_json_close(json, ']');
}

static void write_losses(EadJson *json, const EadLossHistory *losses) {
    if (!losses || losses->count == 0) return;
    ead_json_open(json, "losses", '{');
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

/* ---- pictures ---- */

static EadStatus write_picture(EadJson *json, const char *key, const EadOverlay *overlay, int64_t *bytes) {
    EadImage picture;
    uint8_t *jpeg;
    size_t size;
    EAD_TRY(ead_overlay_render(overlay, &picture));
    EadStatus status = ead_jpeg_encode(&picture, JPEG_QUALITY, &jpeg, &size);
    ead_image_free(&picture);
    EAD_TRY(status);
    ead_json_data_uri(json, key, "image/jpeg", jpeg, size);
    *bytes += (int64_t)size * 4 / 3;
    free(jpeg);
    return EAD_OK;
}

static EadStatus write_images(EadJson *json, const EadGallery *gallery, const EadGalleryOrder *order,
                              EadHeat heat) {
    int64_t bytes = 0;
    int section = 0;
    ead_json_open(json, "images", '[');
    for (int64_t i = 0, end = order->sizes[0]; i < gallery->count; i++) {
        const EadGalleryEntry *entry = &gallery->entries[order->entries[i]];
        while (i == end) end += order->sizes[++section];
        ead_json_open(json, NULL, '{');
        ead_json_integer(json, "section", section);
        ead_json_string(json, "path", entry->path);
        ead_json_string(json, "defect", entry->defect);
        ead_json_flag(json, "anomalous", entry->anomalous);
        ead_json_number(json, "score", (double)entry->score, FLOAT_DIGITS);
        if (bytes < EAD_GALLERY_BUDGET &&
            entry->map) { /* the image with its outline, and the heat map over it */
            EadOverlay image = {.rgb = &entry->rgb, .truth = entry->mask.pixels ? &entry->mask : NULL};
            EadOverlay map = {
                .rgb = &entry->rgb, .map = entry->map, .heat = heat, .regions = !isnan(heat.threshold)};
            ead_json_integer(json, "width", entry->rgb.width);
            ead_json_integer(json, "height", entry->rgb.height);
            EAD_TRY(write_picture(json, "image", &image, &bytes));
            EAD_TRY(write_picture(json, "map", &map, &bytes));
        }
        ead_json_close(json, '}');
    }
    ead_json_close(json, ']');
    return EAD_OK;
}

static EadStatus write_gallery(EadJson *json, const EadGallery *gallery, double threshold, EadHeat heat) {
    if (!gallery || gallery->count == 0) return EAD_OK;
    EadGalleryOrder order;
    bool outlined = false;
    if (!(heat.high > heat.low)) EAD_TRY(ead_gallery_range(gallery, &heat.low, &heat.high));
    EAD_TRY(ead_gallery_sort(gallery, threshold, &order));
    for (int i = 0; i < gallery->count; i++) outlined = outlined || gallery->entries[i].mask.pixels;
    ead_json_open(json, "gallery", '{');
    ead_json_number(json, "low", (double)heat.low, FLOAT_DIGITS);
    ead_json_number(json, "high", (double)heat.high, FLOAT_DIGITS);
    ead_json_flag(json, "outlined", outlined);
    ead_json_integer(json, "budget", EAD_GALLERY_BUDGET);
    ead_json_integer(json, "dropped", gallery->dropped);
    ead_json_open(json, "ramp", '[');
    for (int i = 0; i <= 5; i++) {
        uint8_t rgb[3];
        char color[8];
        ead_ramp_color((float)i / 5, rgb);
        snprintf(color, sizeof color, "#%02x%02x%02x", rgb[0], rgb[1], rgb[2]);
        ead_json_string(json, NULL, color);
    }
    ead_json_close(json, ']');
    EadStatus status = write_images(json, gallery, &order, heat);
    ead_json_close(json, '}');
    free(order.entries);
    return status;
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
        if (ead_config_matters(key) && kind != EAD_KIND_PATH && kind != EAD_KIND_STRING)
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
static void write_labelled(EadJson *json, const EadReport *report, double threshold) {
    ead_json_flag(json, "of_validation", report->validation);
    write_metrics(json, report, threshold);
    write_curves(json, report->metrics);
    write_losses(json, report->losses);
}

/* metrics NULL: of images without labels. */
static EadStatus write_pictures_of(EadJson *json, const EadReport *report, double threshold) {
    const EadMetrics *metrics = report->metrics;
    if (!metrics) return write_gallery(json, report->gallery, (double)NAN, report->unlabelled->heat);
    EadHeat heat = {0, 0, metrics->has_pixel_threshold ? metrics->pixel_threshold.value : (float)NAN};
    return write_gallery(json, report->gallery, threshold, heat);
}

EadStatus ead_report_write(const char *path, const EadReport *report) {
    const EadMetrics *metrics = report->metrics;
    double threshold = !metrics                 ? (double)NAN
                       : metrics->has_threshold ? (double)metrics->threshold.value
                                                : metrics->total.image_f1_threshold;
    EadAtomicFile file;
    EadJson json;
    EadStatus status = EAD_OK;
    EAD_TRY(ead_atomic_file_open(&file, path));
    ead_page_begin(&json, file.stream);
    ead_json_string(&json, "kind", metrics ? "run" : "unlabelled");
    ead_json_string(&json, "title", report->title ? report->title : "EfficientAD");
    ead_json_string(&json, "subtitle", report->subtitle);
    if (metrics)
        write_labelled(&json, report, threshold);
    else
        status = write_unlabelled(&json, report->unlabelled);
    write_facts(&json, "provenance", report->provenance, report->provenance_count);
    write_facts(&json, "timings", report->timings, report->timing_count);
    if (status == EAD_OK) status = write_config(&json, report->config);
    if (status == EAD_OK) status = write_pictures_of(&json, report, threshold);
    ead_page_end(&json);
    if (status == EAD_OK) return ead_atomic_file_commit(&file);
    ead_atomic_file_discard(&file);
    return status;
}
