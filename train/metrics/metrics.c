/* Groups: 0 holds the good images, 1.. the kinds of defects in order of appearance; the same numbers serve
 * the AU-PRO accumulator. */
#include "train/metrics/metrics.h"

#include "train/metrics/metric_pro.h"
#include "train/metrics/metric_ranking.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define CURVE_STEP 1e-4

static const char *const loco_kinds[2] = {"logical_anomalies", "structural_anomalies"};

const double ead_spro_limits[EAD_SPRO_LIMITS] = {0.01, 0.05, 0.1, 0.3, 1};

enum { ANY_TYPE = -1, MAX_TYPES = 256 }; /* types have pixel values 1..255, each its own */

/* What is wrong with one image. */
typedef struct SampleKind {
    int group;
    uint32_t types[MAX_TYPES / 32]; /* bit t: a channel of type t */
} SampleKind;

/* Images beside the good ones: those of a group, or with a channel of a type. */
typedef struct Choice {
    int group, type;
} Choice;

static const Choice all_images = {EAD_PRO_ALL, ANY_TYPE};

typedef struct DefectGroup {
    char *name;
    int incomplete; /* an image without map or mask: no pixel metrics */
} DefectGroup;

struct EadEvaluation {
    EadSample *samples;
    SampleKind *kinds; /* of the samples */
    int64_t count, capacity;
    DefectGroup *groups; /* [group_count], entry 0 is the good images */
    int group_count;
    char **type_names; /* [type_count], of the channels */
    int type_count;
    EadProAccumulator *pro;
    int has_threshold;
    EadThreshold threshold;
    double pro_limit; /* 0: none */
};

EadStatus ead_evaluation_new(EadEvaluation **evaluation) {
    EadEvaluation *e = calloc(1, sizeof *e);
    *evaluation = e;
    if (e) e->groups = calloc(1, sizeof *e->groups);
    if (!e || !e->groups || ead_pro_new(&e->pro) != EAD_OK) {
        ead_evaluation_free(e);
        *evaluation = NULL;
        return ead_fail(EAD_NO_MEMORY, "no memory for the evaluation");
    }
    e->group_count = 1;
    return EAD_OK;
}

void ead_evaluation_free(EadEvaluation *evaluation) {
    if (!evaluation) return;
    for (int64_t i = 0; i < evaluation->count; i++) {
        free(evaluation->samples[i].path);
        free(evaluation->samples[i].defect);
    }
    for (int g = 0; g < evaluation->group_count; g++) free(evaluation->groups[g].name);
    free(evaluation->samples);
    for (int t = 0; t < evaluation->type_count; t++) free(evaluation->type_names[t]);
    free(evaluation->type_names);
    free(evaluation->kinds);
    free(evaluation->groups);
    ead_pro_free(evaluation->pro);
    free(evaluation);
}

static EadStatus no_memory(int64_t count) {
    return ead_fail(EAD_NO_MEMORY, "no memory for the scores of %lld images", (long long)count);
}

static EadStatus find_group(EadEvaluation *e, const char *defect, int anomalous, int *group) {
    *group = 0;
    if (!anomalous) return EAD_OK;
    for (*group = 1; *group < e->group_count; ++*group)
        if (strcmp(e->groups[*group].name, defect) == 0) return EAD_OK;
    DefectGroup *grown = realloc(e->groups, ((size_t)e->group_count + 1) * sizeof *grown);
    if (!grown) return no_memory(e->count);
    e->groups = grown;
    grown[*group] = (DefectGroup){.name = strdup(defect)};
    if (!grown[*group].name) return no_memory(e->count);
    e->group_count++;
    return EAD_OK;
}

/* The names are the same for all images of a test set. */
static EadStatus copy_type_names(EadEvaluation *e, const EadDefectTypes *types) {
    e->type_names = calloc((size_t)types->count, sizeof *e->type_names);
    if (!e->type_names) return no_memory(e->count);
    for (; e->type_count < types->count; e->type_count++) {
        e->type_names[e->type_count] = strdup(types->items[e->type_count].name);
        if (!e->type_names[e->type_count]) return no_memory(e->count);
    }
    return EAD_OK;
}

static EadStatus find_types(EadEvaluation *e, const EadGroundTruth *truth, SampleKind *kind) {
    if (!truth || !truth->types) return EAD_OK;
    if (!e->type_names) EAD_TRY(copy_type_names(e, truth->types));
    for (int c = 0; c < truth->channel_count; c++)
        kind->types[truth->channels[c].type / 32] |= 1u << truth->channels[c].type % 32;
    return EAD_OK;
}

static EadStatus append_sample(EadEvaluation *e, EadSample sample, SampleKind kind) {
    if (e->count == e->capacity) {
        int64_t capacity = e->capacity > 0 ? 2 * e->capacity : 64;
        EadSample *samples = realloc(e->samples, (size_t)capacity * sizeof *samples);
        if (samples) e->samples = samples;
        SampleKind *kinds = realloc(e->kinds, (size_t)capacity * sizeof *kinds);
        if (kinds) e->kinds = kinds;
        if (!samples || !kinds) return no_memory(capacity);
        e->capacity = capacity;
    }
    sample.path = strdup(sample.path);
    sample.defect = strdup(sample.defect);
    if (!sample.path || !sample.defect) {
        free(sample.path);
        free(sample.defect);
        return no_memory(e->count);
    }
    e->kinds[e->count] = kind;
    e->samples[e->count++] = sample;
    return EAD_OK;
}

static int mask_is_empty(const EadImage *mask) {
    for (int64_t i = 0; i < (int64_t)mask->width * mask->height; i++)
        if (mask->pixels[i]) return 0;
    return 1;
}

static EadStatus add_pixels(EadEvaluation *e, int group, const float *map, int width, int height,
                            const EadGroundTruth *truth) {
    int anomalous = group > 0;
    if (!map || (anomalous && !truth)) {
        e->groups[group].incomplete = 1;
        return EAD_OK;
    }
    if (!anomalous && truth && !mask_is_empty(&truth->mask))
        return ead_fail(EAD_BAD_ARGUMENT, "the mask of a good image marks a defect");
    return ead_pro_add(e->pro, map, width, height, anomalous ? truth : NULL, group);
}

EadStatus ead_evaluation_add(EadEvaluation *evaluation, const char *path, const char *defect, int anomalous,
                             float score, const float *map, int width, int height,
                             const EadGroundTruth *truth) {
    if (!isfinite(score))
        return ead_fail(EAD_BAD_ARGUMENT, "%s: score is %g: the model's weights are broken", path,
                        (double)score);
    if (!defect) defect = anomalous ? "defect" : "good";
    SampleKind kind = {.group = 0};
    EAD_TRY(find_group(evaluation, defect, anomalous, &kind.group));
    EAD_TRY(find_types(evaluation, truth, &kind));
    /* defect is copied inside append_sample; the cast only fits it into the struct. */
    EadSample sample = {(char *)path, (char *)defect, anomalous != 0, score};
    EAD_TRY(append_sample(evaluation, sample, kind));
    EadStatus status = add_pixels(evaluation, kind.group, map, width, height, truth);
    if (status == EAD_OK) return EAD_OK;
    EadSample *added = &evaluation->samples[--evaluation->count];
    free(added->path);
    free(added->defect);
    return ead_fail_prefix(status, "%s: ", path);
}

void ead_evaluation_set_threshold(EadEvaluation *evaluation, const EadThreshold *threshold) {
    evaluation->has_threshold = 1;
    evaluation->threshold = *threshold;
}

void ead_evaluation_set_pro_limit(EadEvaluation *evaluation, double limit) {
    evaluation->pro_limit = limit;
}

const EadSample *ead_evaluation_samples(const EadEvaluation *evaluation, int64_t *count) {
    *count = evaluation->count;
    return evaluation->samples;
}

static int is_chosen(const SampleKind *kind, Choice choice) {
    if (choice.type != ANY_TYPE) return kind->types[choice.type / 32] >> choice.type % 32 & 1;
    return choice.group == EAD_PRO_ALL || kind->group == choice.group;
}

static int64_t count_chosen(const EadEvaluation *e, Choice choice) {
    int64_t count = 0;
    for (int64_t i = 0; i < e->count; i++) count += is_chosen(&e->kinds[i], choice);
    return count;
}

/* Scores and labels of the good images and the chosen ones; returns their number. */
static int64_t gather(const EadEvaluation *e, Choice choice, float *scores, uint8_t *anomalous) {
    int64_t count = 0;
    for (int64_t i = 0; i < e->count; i++) {
        if (e->kinds[i].group != 0 && !is_chosen(&e->kinds[i], choice)) continue;
        scores[count] = e->samples[i].score;
        anomalous[count++] = (uint8_t)e->samples[i].anomalous;
    }
    return count;
}

static int has_pixels(const EadEvaluation *e, int group) {
    int complete = !e->groups[0].incomplete;
    for (int g = 1; g < e->group_count; g++)
        if ((group == EAD_PRO_ALL || g == group) && e->groups[g].incomplete) complete = 0;
    return complete && e->group_count > 1;
}

static void measure_threshold(const EadEvaluation *e, EadMetricSet *set, const float *scores,
                              const uint8_t *anomalous, int64_t count) {
    set->image_f1 = set->image_tpr = set->image_fpr = NAN;
    if (!e->has_threshold) return;
    EadConfusion at = ead_confusion_at(scores, anomalous, count, (double)e->threshold.value);
    int64_t defects = at.true_positives + at.false_negatives, good = at.false_positives + at.true_negatives;
    set->image_f1 = ead_confusion_f1(at);
    if (defects > 0) set->image_tpr = (double)at.true_positives / (double)defects;
    if (good > 0) set->image_fpr = (double)at.false_positives / (double)good;
}

/* scores and anomalous: scratch for all samples. */
static EadStatus measure_images(const EadEvaluation *e, Choice choice, EadMetricSet *set, float *scores,
                                uint8_t *anomalous) {
    int64_t count = gather(e, choice, scores, anomalous);
    set->images = count_chosen(e, choice);
    EAD_TRY(ead_auroc(scores, anomalous, count, &set->image_auroc));
    EAD_TRY(ead_average_precision(scores, anomalous, count, &set->image_ap));
    EadBestF1 best;
    EAD_TRY(ead_best_f1(scores, anomalous, count, &best));
    set->image_f1_best = best.f1;
    set->image_f1_threshold = best.threshold;
    measure_threshold(e, set, scores, anomalous, count);
    return EAD_OK;
}

static EadStatus measure_pixels(const EadEvaluation *e, int group, EadMetricSet *set) {
    set->has_pixels = has_pixels(e, group);
    set->au_pro_30 = set->au_pro_05 = set->au_pro_other = set->pixel_auroc = set->pixel_ap =
        set->pixel_f1_best = NAN;
    if (!set->has_pixels) return EAD_OK;
    /* Those of AU-sPRO, two of which are AU-PRO's, too, and the one that is AU-PRO's alone. */
    enum { AT_05 = EAD_SPRO_AT_05, AT_30 = 3, OTHER = EAD_SPRO_LIMITS };
    double limits[OTHER + 1];
    memcpy(limits, ead_spro_limits, sizeof ead_spro_limits);
    limits[OTHER] = e->pro_limit;
    EadProMetrics metrics;
    EAD_TRY(ead_pro_measure(e->pro, group, limits, OTHER + (e->pro_limit > 0), &metrics));
    set->au_pro_30 = metrics.au_pro[AT_30];
    set->au_pro_05 = metrics.au_pro[AT_05];
    set->au_pro_other = metrics.au_pro[OTHER];
    set->pixel_auroc = metrics.pixel_auroc;
    set->pixel_ap = metrics.pixel_ap;
    set->pixel_f1_best = metrics.pixel_f1_best;
    set->has_spro = !isnan(metrics.au_spro[0]);
    memcpy(set->au_spro, metrics.au_spro, sizeof set->au_spro);
    return EAD_OK;
}

/* Everything about the pixels of one kind of defect; runs in a thread of its own. */
static EadStatus measure_defect_pixels(const EadEvaluation *e, int group, EadDefectMetrics *defect) {
    EAD_TRY(measure_pixels(e, group, &defect->set));
    if (!defect->set.has_spro) return EAD_OK;
    return ead_pro_curve(e->pro, group, EAD_CURVE_SPRO, CURVE_STEP, &defect->spro);
}

static int by_name(const void *left, const void *right) {
    return strcmp(((const EadDefectMetrics *)left)->name, ((const EadDefectMetrics *)right)->name);
}

static EadStatus measure_defects(const EadEvaluation *e, EadMetrics *metrics, float *scores,
                                 uint8_t *anomalous) {
    metrics->defects = calloc((size_t)e->group_count, sizeof *metrics->defects);
    if (!metrics->defects) return no_memory(e->count);
    metrics->defect_count = e->group_count - 1;
    for (int g = 1; g < e->group_count; g++) {
        EadDefectMetrics *defect = &metrics->defects[g - 1];
        defect->name = strdup(e->groups[g].name);
        if (!defect->name) return no_memory(e->count);
        EAD_TRY(measure_images(e, (Choice){g, ANY_TYPE}, &defect->set, scores, anomalous));
    }
    int failed = 0;
#pragma omp parallel for schedule(dynamic, 1) reduction(+ : failed)
    for (int g = 1; g < e->group_count; g++)
        failed += measure_defect_pixels(e, g, &metrics->defects[g - 1]) != EAD_OK;
    if (failed) return no_memory(e->count); /* the message of another thread is not this one's */
    if (metrics->defect_count > 1)
        qsort(metrics->defects, (size_t)metrics->defect_count, sizeof *metrics->defects, by_name);
    return EAD_OK;
}

/* The types that occur; numbers [type_count] of EadMetrics. */
static EadStatus measure_type_images(const EadEvaluation *e, EadMetrics *metrics, float *scores,
                                     uint8_t *anomalous, int *numbers) {
    for (int t = 0; t < e->type_count; t++) {
        Choice choice = {EAD_PRO_ALL, t};
        if (count_chosen(e, choice) == 0) continue;
        EadDefectMetrics *defect = &metrics->types[metrics->type_count];
        numbers[metrics->type_count++] = t;
        defect->name = strdup(e->type_names[t]);
        if (!defect->name) return no_memory(e->count);
        EAD_TRY(measure_images(e, choice, &defect->set, scores, anomalous));
    }
    return EAD_OK;
}

/* An image without a mask has types that nobody knows: then there are no such metrics. */
static EadStatus measure_types(EadEvaluation *e, EadMetrics *metrics, float *scores, uint8_t *anomalous) {
    int numbers[MAX_TYPES], failed = 0;
    if (e->type_count == 0 || !has_pixels(e, EAD_PRO_ALL)) return EAD_OK;
    metrics->types = calloc((size_t)e->type_count, sizeof *metrics->types);
    if (!metrics->types) return no_memory(e->count);
    EAD_TRY(measure_type_images(e, metrics, scores, anomalous, numbers));
    ead_pro_sort_images(e->pro);
#pragma omp parallel for schedule(dynamic, 1) reduction(+ : failed)
    for (int i = 0; i < metrics->type_count; i++) {
        EadMetricSet *set = &metrics->types[i].set;
        failed += ead_pro_measure_type(e->pro, numbers[i], ead_spro_limits, EAD_SPRO_LIMITS, set->au_spro) !=
                  EAD_OK;
        set->has_spro = 1;
    }
    if (failed) return no_memory(e->count);
    if (metrics->type_count > 1)
        qsort(metrics->types, (size_t)metrics->type_count, sizeof *metrics->types, by_name);
    return EAD_OK;
}

static const EadMetricSet *find_kind(const EadMetrics *metrics, const char *name) {
    for (int i = 0; i < metrics->defect_count; i++)
        if (strcmp(metrics->defects[i].name, name) == 0) return &metrics->defects[i].set;
    return NULL;
}

static void measure_mean(EadMetrics *metrics) {
    const EadMetricSet *a = find_kind(metrics, loco_kinds[0]), *b = find_kind(metrics, loco_kinds[1]);
    metrics->has_mean = a && b;
    if (!a || !b) return;
    metrics->mean = (EadMetricSet){.images = a->images + b->images,
                                   .image_auroc = 0.5 * (a->image_auroc + b->image_auroc),
                                   .image_ap = 0.5 * (a->image_ap + b->image_ap),
                                   .image_f1_best = 0.5 * (a->image_f1_best + b->image_f1_best),
                                   .image_f1_threshold = NAN,
                                   .image_f1 = 0.5 * (a->image_f1 + b->image_f1),
                                   .image_tpr = 0.5 * (a->image_tpr + b->image_tpr),
                                   .image_fpr = 0.5 * (a->image_fpr + b->image_fpr),
                                   .has_pixels = a->has_pixels && b->has_pixels,
                                   .au_pro_30 = 0.5 * (a->au_pro_30 + b->au_pro_30),
                                   .au_pro_05 = 0.5 * (a->au_pro_05 + b->au_pro_05),
                                   .au_pro_other = 0.5 * (a->au_pro_other + b->au_pro_other),
                                   .pixel_auroc = 0.5 * (a->pixel_auroc + b->pixel_auroc),
                                   .pixel_ap = 0.5 * (a->pixel_ap + b->pixel_ap),
                                   .pixel_f1_best = 0.5 * (a->pixel_f1_best + b->pixel_f1_best),
                                   .has_spro = a->has_spro && b->has_spro};
    for (int i = 0; i < EAD_SPRO_LIMITS; i++)
        metrics->mean.au_spro[i] = 0.5 * (a->au_spro[i] + b->au_spro[i]);
}

static EadStatus trace_curves(const EadEvaluation *e, EadMetrics *metrics, const float *scores,
                              const uint8_t *anomalous) {
    EadCurve *const pixels[] = {[EAD_CURVE_PRO] = &metrics->pro,
                                [EAD_CURVE_SPRO] = &metrics->spro,
                                [EAD_CURVE_ROC] = &metrics->pixel_roc,
                                [EAD_CURVE_PR] = &metrics->pixel_pr};
    int failed = 0;
    EAD_TRY(ead_roc_curve(scores, anomalous, e->count, &metrics->roc));
    EAD_TRY(ead_pr_curve(scores, anomalous, e->count, &metrics->pr));
    if (!metrics->total.has_pixels) return EAD_OK;
#pragma omp parallel for schedule(dynamic, 1) reduction(+ : failed)
    for (int kind = EAD_CURVE_PRO; kind <= EAD_CURVE_PR; kind++)
        failed += ead_pro_curve(e->pro, EAD_PRO_ALL, (EadPixelCurve)kind, CURVE_STEP, pixels[kind]) != EAD_OK;
    return failed ? no_memory(e->count) : EAD_OK;
}

EadStatus ead_evaluation_finish(EadEvaluation *evaluation, EadMetrics *metrics) {
    EadEvaluation *e = evaluation;
    *metrics =
        (EadMetrics){.has_threshold = e->has_threshold, .threshold = e->threshold, .pro_limit = e->pro_limit};
    if (e->count == 0) return ead_fail(EAD_BAD_ARGUMENT, "no test images: nothing to evaluate");
    float *scores = malloc((size_t)e->count * sizeof *scores);
    uint8_t *anomalous = malloc((size_t)e->count);
    EadStatus status = scores && anomalous ? EAD_OK : no_memory(e->count);
    if (status == EAD_OK) status = measure_types(e, metrics, scores, anomalous);
    ead_pro_sort(e->pro);
    if (status == EAD_OK) status = measure_defects(e, metrics, scores, anomalous);
    if (status == EAD_OK) status = measure_images(e, all_images, &metrics->total, scores, anomalous);
    if (status == EAD_OK) status = measure_pixels(e, EAD_PRO_ALL, &metrics->total);
    if (status == EAD_OK) status = trace_curves(e, metrics, scores, anomalous);
    if (status == EAD_OK) measure_mean(metrics);
    free(scores);
    free(anomalous);
    if (status != EAD_OK) ead_metrics_free(metrics);
    return status;
}

void ead_metrics_free(EadMetrics *metrics) {
    for (int i = 0; i < metrics->defect_count; i++) {
        free(metrics->defects[i].name);
        ead_curve_free(&metrics->defects[i].spro);
    }
    for (int i = 0; i < metrics->type_count; i++) free(metrics->types[i].name);
    free(metrics->defects);
    free(metrics->types);
    ead_curve_free(&metrics->roc);
    ead_curve_free(&metrics->pr);
    ead_curve_free(&metrics->pro);
    ead_curve_free(&metrics->pixel_roc);
    ead_curve_free(&metrics->pixel_pr);
    ead_curve_free(&metrics->spro);
    *metrics = (EadMetrics){0};
}
