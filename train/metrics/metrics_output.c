/* Every loop here is over the rows of metrics.def. */
#include "train/metrics/metrics_output.h"

#include "core/base/printing.h"
#include "core/base/utf8.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    TABLE = EAD_SHOW_TABLE,
    TILE = EAD_SHOW_TILE,
    DEFECTS = EAD_SHOW_DEFECTS,
    SWEEP = EAD_SHOW_SWEEP,
    KIND = EAD_SHOW_KIND,
    SCENARIO = EAD_SHOW_SCENARIO,
};

const EadMetricRow ead_metric_rows[EAD_METRICS] = {
#define EAD_METRIC(name, scope, key, column, title, places) {EAD_SCOPE_##scope, key, column, title, places},
#include "train/metrics/metrics.def"
#undef EAD_METRIC
};

EadMetricSet ead_metric_set_empty(void) {
    EadMetricSet set = {.image_f1_threshold = NAN, .pixel_f1_threshold = NAN};
    for (int i = 0; i < EAD_METRICS; i++) set.values[i] = NAN;
    return set;
}

static bool in_scope(const EadMetrics *metrics, const EadMetricSet *set, EadMetricScope scope) {
    const bool there[] = {[EAD_SCOPE_IMAGES] = true,
                          [EAD_SCOPE_THRESHOLD] = metrics->has_threshold,
                          [EAD_SCOPE_PIXELS] = set->has_pixels,
                          [EAD_SCOPE_PRO_LIMIT] = set->has_pixels && metrics->pro_limit > 0,
                          [EAD_SCOPE_CHANNELS] = set->has_spro};
    return there[scope];
}

/* ---- JSON ---- */

enum { DIGITS = 15, MOST_NAMED = 10 };

typedef char MetricKey[32];

/* The row's key in metrics.json. */
static const char *key_of(const EadMetricRow *row, const EadMetrics *metrics, MetricKey key) {
    double limit = metrics->pro_limit;
    bool hundredths = fabs(100 * limit - rint(100 * limit)) < 1e-9; /* 0.10 like 0.30, but 0.125 */
    if (row->scope != EAD_SCOPE_PRO_LIMIT) return row->key;
    snprintf(key, sizeof(MetricKey), hundredths ? "%s%.2f" : "%s%g", row->key, limit);
    return key;
}

static void write_set(EadJson *json, const EadMetrics *metrics, const EadMetricSet *set) {
    MetricKey key;
    for (int i = 0; i < EAD_METRICS; i++)
        if (in_scope(metrics, set, ead_metric_rows[i].scope))
            ead_json_number(json, key_of(&ead_metric_rows[i], metrics, key), set->values[i], DIGITS);
    ead_json_integer(json, "images", set->images);
}

static void write_named_set(EadJson *json, const EadMetrics *metrics, const char *name,
                            const EadMetricSet *set) {
    ead_json_open(json, name, '{');
    write_set(json, metrics, set);
    ead_json_close(json, '}');
}

/* How many anomalous images are in no pixel metric, and the first of them. */
static void write_unmasked(EadJson *json, const EadStringList *paths) {
    if (paths->count == 0) return;
    ead_json_integer(json, "images_without_mask", paths->count);
    ead_json_open(json, "without_mask", '[');
    for (int i = 0; i < paths->count && i < MOST_NAMED; i++) ead_json_string(json, NULL, paths->items[i]);
    ead_json_close(json, ']');
}

/* A threshold, and the share of the validation images that reaches it, under these keys. */
static void write_threshold(EadJson *json, const EadThreshold *threshold, const char *const keys[5]) {
    ead_json_float(json, keys[0], threshold->value);
    if (threshold->images == 0) return;
    if (keys[4]) ead_json_integer(json, keys[4], threshold->images);
    ead_json_number(json, keys[1], (double)threshold->alarms / threshold->images, DIGITS);
    ead_json_number(json, keys[2], threshold->low, DIGITS);
    ead_json_number(json, keys[3], threshold->high, DIGITS);
}

void ead_metrics_json(EadJson *json, const char *key, const EadMetrics *metrics) {
    ead_json_open(json, key, '{');
    write_set(json, metrics, &metrics->total);
    write_unmasked(json, &metrics->unmasked);
    static const char *const images[5] = {"threshold", "validation_fpr", "validation_fpr_low",
                                          "validation_fpr_high", "validation_images"};
    static const char *const pixels[5] = {"pixel_threshold", "validation_region_fpr",
                                          "validation_region_fpr_low", "validation_region_fpr_high"};
    if (metrics->has_threshold) write_threshold(json, &metrics->threshold, images);
    if (metrics->has_pixel_threshold) write_threshold(json, &metrics->pixel_threshold, pixels);
    if (metrics->ended) ead_json_string(json, "training_ended", metrics->ended);
    ead_json_open(json, "defects", '{');
    for (int i = 0; i < metrics->type_count; i++)
        write_named_set(json, metrics, metrics->types[i].name, &metrics->types[i].set);
    for (int i = 0; i < metrics->defect_count; i++)
        write_named_set(json, metrics, metrics->defects[i].name, &metrics->defects[i].set);
    if (metrics->has_mean) write_named_set(json, metrics, "mean", &metrics->mean);
    ead_json_close(json, '}');
    ead_json_close(json, '}');
}

void ead_metrics_print_json(FILE *stream, const EadMetrics *metrics) {
    EadJson json = {.stream = stream, .reals = true};
    ead_metrics_json(&json, NULL, metrics);
    putc('\n', stream);
}

void ead_metric_rows_json(EadJson *json, const char *key, const EadMetrics *metrics) {
    static const char *const places[] = {"table", "tile", "defects", "sweep", "kind", "scenario"};
    MetricKey own;
    ead_json_open(json, key, '[');
    for (int i = 0; i < EAD_METRICS; i++) {
        const EadMetricRow *row = &ead_metric_rows[i];
        ead_json_open(json, NULL, '{');
        ead_json_string(json, "key", key_of(row, metrics, own));
        ead_json_string(json, "column", row->column);
        ead_json_string(json, "title", row->title);
        ead_json_open(json, "places", '[');
        for (size_t p = 0; p < sizeof places / sizeof *places; p++)
            if (row->places >> p & 1) ead_json_string(json, NULL, places[p]);
        ead_json_close(json, ']');
        ead_json_close(json, '}');
    }
    ead_json_close(json, ']');
}

/* ---- the table for people ---- */

enum { MIN_NAME = 12, MIN_COLUMN = 7 };

/* Columns on the terminal, taking a code point for one. */
static int shown_width(const char *text) {
    int width = 0;
    for (; *text; width++) {
        uint32_t code;
        int length = ead_utf8_decode(text, &code);
        text += length ? length : 1;
    }
    return width;
}

static void print_name(FILE *stream, const char *name, int width) {
    int used = shown_width(name);
    ead_print(stream, "%s", name);
    fprintf(stream, "%*s", width > used ? width - used : 0, "");
}

static int column_width(const EadMetricRow *row) {
    int width = (int)strlen(row->column);
    return width < MIN_COLUMN ? MIN_COLUMN : width;
}

/* shown [EAD_METRICS]: which columns the table has. */
static void print_row(FILE *stream, const EadMetrics *metrics, const char *name, int width,
                      const EadMetricSet *set, const bool *shown) {
    print_name(stream, name, width);
    fprintf(stream, "  %6lld", (long long)set->images);
    for (int i = 0; i < EAD_METRICS; i++) {
        const EadMetricRow *row = &ead_metric_rows[i];
        if (!shown[i]) continue;
        if (in_scope(metrics, set, row->scope) && isfinite(set->values[i]))
            fprintf(stream, "  %*.4f", column_width(row), set->values[i]);
        else
            fprintf(stream, "  %*s", column_width(row), "-");
    }
    putc('\n', stream);
}

static void print_rows(FILE *stream, const EadMetrics *metrics, const EadDefectMetrics *rows, int count,
                       int width, const bool *shown) {
    for (int i = 0; i < count; i++) print_row(stream, metrics, rows[i].name, width, &rows[i].set, shown);
}

static int max_name_width(const EadDefectMetrics *rows, int count, int width) {
    for (int i = 0; i < count; i++) {
        int used = shown_width(rows[i].name);
        if (used > width) width = used;
    }
    return width;
}

void ead_print_metrics(FILE *stream, const EadMetrics *metrics) {
    int width = max_name_width(metrics->types, metrics->type_count, MIN_NAME);
    bool shown[EAD_METRICS];
    width = max_name_width(metrics->defects, metrics->defect_count, width);
    fprintf(stream, "%*s  %6s", width, "", "images");
    for (int i = 0; i < EAD_METRICS; i++) {
        const EadMetricRow *row = &ead_metric_rows[i];
        bool known = in_scope(metrics, &metrics->total, row->scope);
        for (int d = 0; d < metrics->defect_count; d++)
            known = known || in_scope(metrics, &metrics->defects[d].set, row->scope);
        shown[i] = known && row->places & EAD_SHOW_TABLE;
        if (shown[i]) fprintf(stream, "  %*s", column_width(row), row->column);
    }
    putc('\n', stream);
    print_row(stream, metrics, "all images", width, &metrics->total, shown);
    print_rows(stream, metrics, metrics->defects, metrics->defect_count, width, shown);
    print_rows(stream, metrics, metrics->types, metrics->type_count, width, shown);
    if (metrics->has_mean) print_row(stream, metrics, "mean", width, &metrics->mean, shown);
    if (isnan(metrics->total.image_auroc))
        ead_print(stream, "no %s test images: AU-ROC needs both good and defective ones\n",
                  metrics->defect_count > 0 ? "good" : "defective");
    if (metrics->unmasked.count == 0) return;
    char *names = ead_name_paths(&metrics->unmasked, metrics->unmasked.count, MOST_NAMED);
    ead_print(stream, "without a mask that can be used, and so in no pixel metric: %d anomalous %s: %s\n",
              metrics->unmasked.count, metrics->unmasked.count == 1 ? "image" : "images", names ? names : "");
    free(names);
}
