/* Collects, then measures images and pixels: all, each kind of defect, each type of defect channel. */
#include "train/metrics/metrics.h"

#include "core/base/memory.h"
#include "core/base/string_list.h"
#include "train/metrics/metric_pro.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define CURVE_STEP 1e-4

/* Group 0 holds the good images, 1.. the kinds of defects as they appear; in the pixel store, too. */
typedef struct DefectGroup {
    char *name;      /* owned; NULL for the good images */
    bool incomplete; /* an image without map: no pixel metrics */
    bool measured;   /* has pixels of an image */
} DefectGroup;

struct EadEvaluation {
    EadSample *samples;
    int count, capacity;
    DefectGroup *groups; /* [group_count] */
    int group_count, group_capacity;
    EadStringList type_names; /* of the channels */
    EadProAccumulator *pro;
    bool has_threshold, has_pixel_threshold;
    EadThreshold threshold, pixel_threshold;
    double pro_limit; /* 0: none */
    double *scores;   /* [count], scratch of ead_evaluation_finish(), like the labels */
    uint8_t *anomalous;
};

/* ---- collecting ---- */

static EadStatus add_group(EadEvaluation *e, const char *name) {
    EAD_TRY(
        ead_grow(&e->groups, &e->group_capacity, e->group_count, sizeof *e->groups, "the kinds of defects"));
    char *copy = name ? ead_strdup(name) : NULL;
    if (name && !copy) return EAD_NO_MEMORY;
    e->groups[e->group_count++] = (DefectGroup){.name = copy};
    return EAD_OK;
}

EadStatus ead_evaluation_new(EadEvaluation **evaluation) {
    EadEvaluation *e = *evaluation = ead_new(1, sizeof *e, "the evaluation");
    if (!e) return EAD_NO_MEMORY;
    EadStatus status = add_group(e, NULL);
    if (status == EAD_OK) status = ead_pro_new(&e->pro);
    if (status == EAD_OK) return EAD_OK;
    ead_evaluation_free(e);
    *evaluation = NULL;
    return status;
}

static void free_sample(EadSample *sample) {
    free(sample->path);
    free(sample->defect);
}

void ead_evaluation_free(EadEvaluation *evaluation) {
    if (!evaluation) return;
    for (int i = 0; i < evaluation->count; i++) free_sample(&evaluation->samples[i]);
    for (int g = 0; g < evaluation->group_count; g++) free(evaluation->groups[g].name);
    free(evaluation->samples);
    free(evaluation->groups);
    ead_strings_free(&evaluation->type_names);
    ead_pro_free(evaluation->pro);
    free(evaluation);
}

static EadStatus find_group(EadEvaluation *e, const char *defect, bool anomalous, int *group) {
    *group = 0;
    if (!anomalous) return EAD_OK;
    for (*group = 1; *group < e->group_count; ++*group)
        if (strcmp(e->groups[*group].name, defect) == 0) return EAD_OK;
    return add_group(e, defect);
}

/* The names of the types are the same for all images of a test set. */
static EadStatus find_types(EadEvaluation *e, const EadGroundTruth *truth, EadSample *sample) {
    if (!truth || !truth->types) return EAD_OK;
    for (int t = e->type_names.count; t < truth->types->count; t++)
        EAD_TRY(ead_strings_add(&e->type_names, truth->types->items[t].name));
    for (int c = 0; c < truth->channel_count; c++)
        sample->types[truth->channels[c].type / 32] |= 1u << truth->channels[c].type % 32;
    return EAD_OK;
}

static EadStatus add_pixels(EadEvaluation *e, int group, const float *map, int width, int height,
                            const EadGroundTruth *truth, const uint8_t *inside) {
    bool anomalous = group > 0;
    if (!map) e->groups[group].incomplete = true;
    if (!map || (anomalous && !truth)) return EAD_OK;
    e->groups[group].measured = true;
    int64_t clean = !anomalous && truth ? (int64_t)truth->mask.width * truth->mask.height : 0;
    for (int64_t i = 0; i < clean; i++)
        if (truth->mask.pixels[i])
            return ead_fail(EAD_BAD_ARGUMENT, "the mask of a good image marks a defect");
    return ead_pro_add(e->pro, map, width, height, anomalous ? truth : NULL, inside, group);
}

EadStatus ead_evaluation_add(EadEvaluation *evaluation, const char *path, const char *defect, int anomalous,
                             float score, const float *map, int width, int height,
                             const EadGroundTruth *truth, const uint8_t *inside) {
    EadEvaluation *e = evaluation;
    if (!isfinite(score))
        return ead_fail(EAD_BAD_ARGUMENT, "%s: score is %g: the model's weights are damaged", path,
                        (double)score);
    if (!defect) defect = anomalous ? "defect" : "good";
    EadSample sample = {.anomalous = anomalous != 0, .score = score, .unmasked = anomalous && !truth};
    EAD_TRY(find_group(e, defect, anomalous != 0, &sample.group));
    EAD_TRY(find_types(e, truth, &sample));
    EAD_TRY(ead_grow(&e->samples, &e->capacity, e->count, sizeof sample, "the scores of the test images"));
    sample.path = ead_strdup(path);
    sample.defect = ead_strdup(defect);
    EadStatus status = sample.path && sample.defect ? EAD_OK : EAD_NO_MEMORY;
    if (status == EAD_OK) {
        status = add_pixels(e, sample.group, map, width, height, truth, inside);
        if (status != EAD_OK) ead_fail_prefix(status, "%s: ", path);
    }
    if (status == EAD_OK)
        e->samples[e->count++] = sample;
    else
        free_sample(&sample);
    return status;
}

void ead_evaluation_set_threshold(EadEvaluation *evaluation, const EadThreshold *threshold) {
    evaluation->has_threshold = true;
    evaluation->threshold = *threshold;
}

void ead_evaluation_set_pixel_threshold(EadEvaluation *evaluation, const EadThreshold *threshold) {
    evaluation->has_pixel_threshold = true;
    evaluation->pixel_threshold = *threshold;
}

void ead_evaluation_spill(EadEvaluation *evaluation, const char *folder, size_t budget) {
    ead_pro_spill(evaluation->pro, folder, budget);
}

void ead_evaluation_set_pro_limit(EadEvaluation *evaluation, double limit) {
    evaluation->pro_limit = limit;
}

const EadSample *ead_evaluation_samples(const EadEvaluation *evaluation, int64_t *count) {
    *count = evaluation->count;
    return evaluation->samples;
}

/* ---- scores ---- */

/* Images beside the good ones: those of a group, or with a channel of a type. */
typedef struct Choice {
    int group, type;
    const char *name;
} Choice;

enum { ANY_TYPE = -1 };

/* The chosen images with the good ones. roc and pr: curves to append to, or NULL. */
static EadStatus measure_images(EadEvaluation *e, Choice choice, EadMetricSet *set, EadCurve *roc,
                                EadCurve *pr) {
    int64_t count = 0;
    *set = ead_metric_set_empty();
    for (int i = 0; i < e->count; i++) {
        const EadSample *sample = &e->samples[i];
        bool chosen = choice.type == ANY_TYPE ? choice.group == EAD_PRO_ALL || sample->group == choice.group
                                              : sample->types[choice.type / 32] >> choice.type % 32 & 1;
        set->images += chosen;
        if (sample->group != 0 && !chosen) continue;
        e->scores[count] = (double)sample->score;
        e->anomalous[count++] = (uint8_t)sample->anomalous;
    }
    EAD_TRY(ead_rank(e->scores, e->anomalous, count, set, roc, pr));
    if (!e->has_threshold) return EAD_OK;
    EadConfusion at = ead_confusion_at(e->scores, e->anomalous, count, (double)e->threshold.value);
    int64_t defects = at.true_positives + at.false_negatives, good = at.false_positives + at.true_negatives;
    set->image_f1 = ead_confusion_f1(at);
    if (defects > 0) set->image_tpr = (double)at.true_positives / (double)defects;
    if (good > 0) set->image_fpr = (double)at.false_positives / (double)good;
    return EAD_OK;
}

/* ---- pixels ---- */

/* False-positive rates up to which areas are taken: those of AU-sPRO, two of them AU-PRO's, too. */
enum { AT_05 = 1, AT_30 = 3, SPRO_LIMITS = 5 };
static const double limits[SPRO_LIMITS] = {0.01, 0.05, 0.1, 0.3, 1};

static void set_au_spro(EadMetricSet *set, const double *au_spro) {
    set->has_spro = !isnan(au_spro[0]);
    memcpy(&set->values[EAD_METRIC_au_spro_01], au_spro, sizeof limits);
}

static bool has_pixels(const EadEvaluation *e, int group) {
    bool complete = !e->groups[0].incomplete, measured = false;
    for (int g = 1; g < e->group_count; g++) {
        if (group != EAD_PRO_ALL && g != group) continue;
        complete = complete && !e->groups[g].incomplete;
        measured = measured || e->groups[g].measured;
    }
    return complete && measured;
}

static EadStatus measure_pixels(const EadEvaluation *e, int group, EadMetricSet *set) {
    double all_limits[SPRO_LIMITS + 1];
    EadProAreas areas;
    set->has_pixels = has_pixels(e, group);
    if (!set->has_pixels) return EAD_OK;
    memcpy(all_limits, limits, sizeof limits);
    all_limits[SPRO_LIMITS] = e->pro_limit;
    EAD_TRY(ead_pro_measure(e->pro, group, all_limits, SPRO_LIMITS + (e->pro_limit > 0), &areas, set));
    set->au_pro_30 = areas.au_pro[AT_30];
    set->au_pro_05 = areas.au_pro[AT_05];
    set->au_pro_other = areas.au_pro[SPRO_LIMITS];
    set_au_spro(set, areas.au_spro);
    return EAD_OK;
}

/* Runs in a thread of its own. */
static EadStatus measure_kind_pixels(const EadEvaluation *e, Choice kind, EadDefectMetrics *out) {
    if (kind.type == ANY_TYPE) {
        EAD_TRY(measure_pixels(e, kind.group, &out->set));
        if (!out->set.has_spro) return EAD_OK;
        return ead_pro_curve(e->pro, kind.group, EAD_CURVE_SPRO, CURVE_STEP, &out->spro);
    }
    double au_spro[SPRO_LIMITS];
    EAD_TRY(ead_pro_measure_type(e->pro, kind.type, limits, SPRO_LIMITS, au_spro));
    set_au_spro(&out->set, au_spro);
    out->set.has_spro = 1;
    return EAD_OK;
}

/* ---- all of it ---- */

/* The message of another thread is not this one's. */
static EadStatus no_memory(void) {
    return ead_fail(EAD_NO_MEMORY, "no memory for the pixel metrics");
}

static int by_name(const void *left, const void *right) {
    return strcmp(((const EadDefectMetrics *)left)->name, ((const EadDefectMetrics *)right)->name);
}

/* Those of the kinds [count] that have images, in order of name, into *out [*out_count]. */
static EadStatus measure_kinds(EadEvaluation *e, Choice *kinds, int count, EadDefectMetrics **out,
                               int *out_count) {
    EadDefectMetrics *made = *out = ead_new(count, sizeof *made, "the metrics of each defect");
    int failed = 0, used = 0;
    if (!made) return EAD_NO_MEMORY;
    for (int i = 0; i < count; i++) {
        EAD_TRY(measure_images(e, kinds[i], &made[used].set, NULL, NULL));
        if (made[used].set.images == 0) continue;
        made[used].name = ead_strdup(kinds[i].name);
        kinds[used++] = kinds[i];
        *out_count = used;
        if (!made[used - 1].name) return EAD_NO_MEMORY;
    }
#pragma omp parallel for schedule(dynamic, 1) reduction(+ : failed)
    for (int i = 0; i < used; i++) failed += measure_kind_pixels(e, kinds[i], &made[i]) != EAD_OK;
    if (failed) return no_memory();
    if (used > 1) qsort(made, (size_t)used, sizeof *made, by_name);
    return EAD_OK;
}

/* An image without a mask has types that nobody knows: it is in none. */
static EadStatus measure_types_and_groups(EadEvaluation *e, EadMetrics *metrics) {
    int types = has_pixels(e, EAD_PRO_ALL) ? e->type_names.count : 0, groups = e->group_count - 1;
    Choice *kinds = ead_new(types + groups, sizeof *kinds, "the kinds of defects");
    EadStatus status = kinds ? EAD_OK : EAD_NO_MEMORY;
    if (kinds && types > 0) {
        for (int t = 0; t < types; t++) kinds[t] = (Choice){EAD_PRO_ALL, t, e->type_names.items[t]};
        ead_pro_sort_images(e->pro);
        status = measure_kinds(e, kinds, types, &metrics->types, &metrics->type_count);
    }
    if (status == EAD_OK) {
        for (int g = 0; g < groups; g++) kinds[g] = (Choice){g + 1, ANY_TYPE, e->groups[g + 1].name};
        ead_pro_sort(e->pro);
        status = measure_kinds(e, kinds, groups, &metrics->defects, &metrics->defect_count);
    }
    free(kinds);
    return status;
}

/* MVTec LOCO's protocol. */
static void measure_mean(EadMetrics *metrics) {
    const EadMetricSet *a = NULL, *b = NULL;
    for (int i = 0; i < metrics->defect_count; i++) {
        if (strcmp(metrics->defects[i].name, "logical_anomalies") == 0) a = &metrics->defects[i].set;
        if (strcmp(metrics->defects[i].name, "structural_anomalies") == 0) b = &metrics->defects[i].set;
    }
    metrics->has_mean = a && b;
    if (!a || !b) return;
    metrics->mean = ead_metric_set_empty();
    metrics->mean.images = a->images + b->images;
    metrics->mean.has_pixels = a->has_pixels && b->has_pixels;
    metrics->mean.has_spro = a->has_spro && b->has_spro;
    for (int i = 0; i < EAD_METRICS; i++) metrics->mean.values[i] = 0.5 * (a->values[i] + b->values[i]);
}

static EadStatus trace_pixel_curves(EadEvaluation *e, EadMetrics *metrics) {
    EadCurve *const pixels[] = {[EAD_CURVE_PRO] = &metrics->pro,
                                [EAD_CURVE_SPRO] = &metrics->spro,
                                [EAD_CURVE_ROC] = &metrics->pixel_roc,
                                [EAD_CURVE_PR] = &metrics->pixel_pr};
    int failed = 0;
    if (!metrics->total.has_pixels) return EAD_OK;
#pragma omp parallel for schedule(dynamic, 1) reduction(+ : failed)
    for (int kind = EAD_CURVE_PRO; kind <= EAD_CURVE_PR; kind++)
        failed += ead_pro_curve(e->pro, EAD_PRO_ALL, (EadPixelCurve)kind, CURVE_STEP, pixels[kind]) != EAD_OK;
    return failed ? no_memory() : EAD_OK;
}

/* Names the images that are left out of the pixel metrics, if there are any. */
static EadStatus name_unmasked(const EadEvaluation *e, EadMetrics *metrics) {
    for (int i = 0; i < e->count && metrics->total.has_pixels; i++)
        if (e->samples[i].unmasked) EAD_TRY(ead_strings_add(&metrics->unmasked, e->samples[i].path));
    return EAD_OK;
}

static EadStatus measure_all(EadEvaluation *e, EadMetrics *metrics) {
    EAD_TRY(measure_types_and_groups(e, metrics));
    EAD_TRY(measure_images(e, (Choice){EAD_PRO_ALL, ANY_TYPE, NULL}, &metrics->total, &metrics->roc,
                           &metrics->pr));
    EAD_TRY(measure_pixels(e, EAD_PRO_ALL, &metrics->total));
    EAD_TRY(name_unmasked(e, metrics));
    EAD_TRY(trace_pixel_curves(e, metrics));
    measure_mean(metrics);
    return EAD_OK;
}

EadStatus ead_evaluation_finish(EadEvaluation *evaluation, EadMetrics *metrics) {
    EadEvaluation *e = evaluation;
    *metrics = (EadMetrics){.has_threshold = e->has_threshold,
                            .has_pixel_threshold = e->has_pixel_threshold,
                            .threshold = e->threshold,
                            .pixel_threshold = e->pixel_threshold,
                            .pro_limit = e->pro_limit};
    if (e->count == 0) return ead_fail(EAD_BAD_ARGUMENT, "no test images: nothing to evaluate");
    e->scores = ead_new(e->count, sizeof *e->scores, "the scores of the test images");
    e->anomalous = ead_new(e->count, 1, "the labels of the test images");
    EadStatus status = e->scores && e->anomalous ? measure_all(e, metrics) : EAD_NO_MEMORY;
    free(e->scores);
    free(e->anomalous);
    if (status != EAD_OK) ead_metrics_free(metrics);
    return status;
}

static void free_kinds(EadDefectMetrics *kinds, int count) {
    for (int i = 0; i < count; i++) {
        free(kinds[i].name);
        ead_curve_free(&kinds[i].spro);
    }
    free(kinds);
}

void ead_metrics_free(EadMetrics *metrics) {
    EadCurve *const curves[] = {&metrics->roc,       &metrics->pr,       &metrics->pro,
                                &metrics->pixel_roc, &metrics->pixel_pr, &metrics->spro};
    free_kinds(metrics->defects, metrics->defect_count);
    free_kinds(metrics->types, metrics->type_count);
    ead_strings_free(&metrics->unmasked);
    for (size_t i = 0; i < sizeof curves / sizeof *curves; i++) ead_curve_free(curves[i]);
    *metrics = (EadMetrics){0};
}
