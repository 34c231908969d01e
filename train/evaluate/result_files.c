/* CSV by hand, JSON by jansson. */
#include "train/evaluate/result_files.h"

#include "core/base/atomic_file.h"
#include "train/support/json_file.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

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

/* Both return 0, or -1 when out of memory, like jansson's own functions. */
static int put_metric(json_t *object, const char *key, double value) {
    return json_object_set_new(object, key, isfinite(value) ? json_real(value) : json_null());
}

static int put_spro(json_t *object, const EadMetricSet *set) {
    char key[24];
    int failed = 0;
    for (int i = 0; i < EAD_SPRO_LIMITS; i++) {
        snprintf(key, sizeof key, "au_spro_%.2f", ead_spro_limits[i]);
        failed |= put_metric(object, key, set->au_spro[i]);
    }
    return failed;
}

static int put_other_pro(json_t *object, const EadMetricSet *set, double limit) {
    char key[32];
    bool hundredths = fabs(100 * limit - rint(100 * limit)) < 1e-9; /* 0.10 like 0.30, but 0.125 */
    snprintf(key, sizeof key, hundredths ? "au_pro_%.2f" : "au_pro_%g", limit);
    return put_metric(object, key, set->au_pro_other);
}

static int put_set(json_t *object, const EadMetricSet *set, const EadMetrics *metrics) {
    int failed = put_metric(object, "image_auroc", set->image_auroc);
    failed |= put_metric(object, "image_ap", set->image_ap);
    failed |= put_metric(object, "image_f1_best", set->image_f1_best);
    if (metrics->has_threshold) {
        failed |= put_metric(object, "image_f1", set->image_f1);
        failed |= put_metric(object, "image_tpr", set->image_tpr);
        failed |= put_metric(object, "image_fpr", set->image_fpr);
    }
    if (set->has_pixels) {
        failed |= put_metric(object, "au_pro_0.30", set->au_pro_30);
        failed |= put_metric(object, "au_pro_0.05", set->au_pro_05);
        if (metrics->pro_limit > 0) failed |= put_other_pro(object, set, metrics->pro_limit);
        failed |= put_metric(object, "pixel_auroc", set->pixel_auroc);
        failed |= put_metric(object, "pixel_ap", set->pixel_ap);
        failed |= put_metric(object, "pixel_f1_best", set->pixel_f1_best);
    }
    if (set->has_spro) failed |= put_spro(object, set);
    return failed | json_object_set_new(object, "images", json_integer((json_int_t)set->images));
}

static int put_threshold(json_t *object, const EadThreshold *threshold) {
    int failed = put_metric(object, "threshold", (double)threshold->value);
    if (threshold->images == 0) return failed;
    failed |= json_object_set_new(object, "validation_images", json_integer(threshold->images));
    failed |= put_metric(object, "validation_fpr", (double)threshold->alarms / threshold->images);
    failed |= put_metric(object, "validation_fpr_low", threshold->low);
    return failed | put_metric(object, "validation_fpr_high", threshold->high);
}

/* Folder names need not be UTF-8, JSON keys must be: such bytes become \xNN. */
static int put_defect(json_t *defects, const char *kind, const EadMetricSet *set, const EadMetrics *metrics) {
    json_t *object = json_object();
    int failed = !object || put_set(object, set, metrics);
    if (failed || json_object_set(defects, kind, object) == 0) {
        json_decref(object);
        return failed ? -1 : 0;
    }
    char *name = malloc(4 * strlen(kind) + 1), *end = name;
    for (const char *c = kind; name && *c; c++)
        end += sprintf(end, (*c & 0x80) ? "\\x%02x" : "%c", (unsigned char)*c);
    failed = !name || json_object_set(defects, name, object);
    free(name);
    json_decref(object);
    return failed ? -1 : 0;
}

static json_t *metrics_object(const EadMetrics *metrics) {
    json_t *root = json_object(), *defects = json_object();
    int failed = !root || !defects || put_set(root, &metrics->total, metrics);
    if (!failed && metrics->has_threshold) failed = put_threshold(root, &metrics->threshold);
    for (int i = 0; i < metrics->type_count && !failed; i++)
        failed = put_defect(defects, metrics->types[i].name, &metrics->types[i].set, metrics);
    for (int i = 0; i < metrics->defect_count && !failed; i++)
        failed = put_defect(defects, metrics->defects[i].name, &metrics->defects[i].set, metrics);
    if (!failed && metrics->has_mean) failed = put_defect(defects, "mean", &metrics->mean, metrics);
    if (!failed) failed = json_object_set(root, "defects", defects);
    json_decref(defects);
    if (!failed) return root;
    json_decref(root);
    return NULL;
}

EadStatus ead_write_metrics_json(const char *path, const EadMetrics *metrics) {
    return ead_write_json(path, metrics_object(metrics), 15);
}
