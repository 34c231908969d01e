/* Groups: 0 holds the good images, 1.. the kinds of defects in order of appearance; the same numbers serve
 * the AU-PRO accumulator. */
#include "train/evaluation.h"

#include "train/metric_pro.h"
#include "train/metric_ranking.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define PRO_CURVE_STEP 1e-4

typedef struct DefectGroup {
    char *name;
    int incomplete; /* an image without map or mask: no pixel figures */
} DefectGroup;

struct EadEvaluation {
    EadSample *samples;
    int *sample_groups;
    int64_t count, capacity;
    DefectGroup *groups; /* [group_count], entry 0 is the good images */
    int group_count;
    EadProAccumulator *pro;
    int has_threshold;
    double threshold;
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
    free(evaluation->sample_groups);
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

static EadStatus append_sample(EadEvaluation *e, EadSample sample, int group) {
    if (e->count == e->capacity) {
        int64_t capacity = e->capacity > 0 ? 2 * e->capacity : 64;
        EadSample *samples = realloc(e->samples, (size_t)capacity * sizeof *samples);
        if (samples) e->samples = samples;
        int *groups = realloc(e->sample_groups, (size_t)capacity * sizeof *groups);
        if (groups) e->sample_groups = groups;
        if (!samples || !groups) return no_memory(capacity);
        e->capacity = capacity;
    }
    sample.path = strdup(sample.path);
    sample.defect = strdup(sample.defect);
    if (!sample.path || !sample.defect) {
        free(sample.path);
        free(sample.defect);
        return no_memory(e->count);
    }
    e->sample_groups[e->count] = group;
    e->samples[e->count++] = sample;
    return EAD_OK;
}

static int mask_is_empty(const uint8_t *mask, int width, int height) {
    for (int64_t i = 0; i < (int64_t)width * height; i++)
        if (mask[i]) return 0;
    return 1;
}

static EadStatus add_pixels(EadEvaluation *e, int group, const float *map, int width, int height,
                            const uint8_t *mask) {
    int anomalous = group > 0;
    if (!map || (anomalous && !mask)) {
        e->groups[group].incomplete = 1;
        return EAD_OK;
    }
    if (!anomalous && mask && !mask_is_empty(mask, width, height))
        return ead_fail(EAD_BAD_ARGUMENT, "the mask of a good image marks a defect");
    return ead_pro_add(e->pro, map, anomalous ? mask : NULL, width, height, group);
}

EadStatus ead_evaluation_add(EadEvaluation *evaluation, const char *path, const char *defect, int anomalous,
                             float score, const float *map, int width, int height, const uint8_t *mask) {
    if (!isfinite(score))
        return ead_fail(EAD_BAD_ARGUMENT, "%s: score is %g: the model's weights are broken", path,
                        (double)score);
    if (!defect) defect = anomalous ? "defect" : "good";
    int group;
    EAD_TRY(find_group(evaluation, defect, anomalous, &group));
    /* defect is copied inside append_sample; the cast only fits it into the struct. */
    EadSample sample = {(char *)path, (char *)defect, anomalous != 0, score};
    EAD_TRY(append_sample(evaluation, sample, group));
    EadStatus status = add_pixels(evaluation, group, map, width, height, mask);
    if (status == EAD_OK) return EAD_OK;
    EadSample *added = &evaluation->samples[--evaluation->count];
    free(added->path);
    free(added->defect);
    return ead_fail_prefix(status, "%s: ", path);
}

void ead_evaluation_set_threshold(EadEvaluation *evaluation, double threshold) {
    evaluation->has_threshold = 1;
    evaluation->threshold = threshold;
}

const EadSample *ead_evaluation_samples(const EadEvaluation *evaluation, int64_t *count) {
    *count = evaluation->count;
    return evaluation->samples;
}

/* Scores and labels of the good images and one group (EAD_PRO_ALL: all); returns their number. */
static int64_t gather(const EadEvaluation *e, int group, float *scores, uint8_t *anomalous) {
    int64_t count = 0;
    for (int64_t i = 0; i < e->count; i++) {
        if (group != EAD_PRO_ALL && e->sample_groups[i] != 0 && e->sample_groups[i] != group) continue;
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

/* scores and anomalous: scratch for all samples. */
static EadStatus measure_images(const EadEvaluation *e, int group, EadFigureSet *set, float *scores,
                                uint8_t *anomalous) {
    int64_t count = gather(e, group, scores, anomalous);
    for (int64_t i = 0; i < e->count; i++)
        set->images += group == EAD_PRO_ALL || e->sample_groups[i] == group;
    EAD_TRY(ead_auroc(scores, anomalous, count, &set->image_auroc));
    EadBestF1 best;
    EAD_TRY(ead_best_f1(scores, anomalous, count, &best));
    set->image_f1_best = best.f1;
    set->image_f1_threshold = best.threshold;
    return EAD_OK;
}

static void measure_pixels(const EadEvaluation *e, int group, EadFigureSet *set) {
    set->has_pixels = has_pixels(e, group);
    set->au_pro_30 = set->au_pro_05 = set->pixel_auroc = NAN;
    if (!set->has_pixels) return;
    const double limits[2] = {0.30, 0.05};
    EadProFigures figures = ead_pro_measure(e->pro, group, limits, 2);
    set->au_pro_30 = figures.au_pro[0];
    set->au_pro_05 = figures.au_pro[1];
    set->pixel_auroc = figures.pixel_auroc;
}

static int by_name(const void *left, const void *right) {
    return strcmp(((const EadDefectFigures *)left)->name, ((const EadDefectFigures *)right)->name);
}

static EadStatus measure_defects(const EadEvaluation *e, EadFigures *figures, float *scores,
                                 uint8_t *anomalous) {
    figures->defects = calloc((size_t)e->group_count, sizeof *figures->defects);
    if (!figures->defects) return no_memory(e->count);
    figures->defect_count = e->group_count - 1;
    for (int g = 1; g < e->group_count; g++) {
        EadDefectFigures *defect = &figures->defects[g - 1];
        defect->name = strdup(e->groups[g].name);
        if (!defect->name) return no_memory(e->count);
        EAD_TRY(measure_images(e, g, &defect->set, scores, anomalous));
    }
#pragma omp parallel for schedule(dynamic, 1)
    for (int g = 1; g < e->group_count; g++) measure_pixels(e, g, &figures->defects[g - 1].set);
    if (figures->defect_count > 1)
        qsort(figures->defects, (size_t)figures->defect_count, sizeof *figures->defects, by_name);
    return EAD_OK;
}

EadStatus ead_evaluation_finish(EadEvaluation *evaluation, EadFigures *figures) {
    EadEvaluation *e = evaluation;
    *figures = (EadFigures){.has_threshold = e->has_threshold, .threshold = e->threshold};
    if (e->count == 0) return ead_fail(EAD_BAD_ARGUMENT, "no test images: nothing to evaluate");
    float *scores = malloc((size_t)e->count * sizeof *scores);
    uint8_t *anomalous = malloc((size_t)e->count);
    EadStatus status = scores && anomalous ? EAD_OK : no_memory(e->count);
    ead_pro_sort(e->pro);
    if (status == EAD_OK) status = measure_defects(e, figures, scores, anomalous);
    if (status == EAD_OK) status = measure_images(e, EAD_PRO_ALL, &figures->total, scores, anomalous);
    if (status == EAD_OK) measure_pixels(e, EAD_PRO_ALL, &figures->total);
    if (status == EAD_OK)
        status = ead_roc_curve(scores, anomalous, gather(e, EAD_PRO_ALL, scores, anomalous), &figures->roc);
    if (status == EAD_OK && figures->total.has_pixels)
        status = ead_pro_curve(e->pro, EAD_PRO_ALL, PRO_CURVE_STEP, &figures->pro);
    free(scores);
    free(anomalous);
    if (status != EAD_OK) ead_figures_free(figures);
    return status;
}

void ead_figures_free(EadFigures *figures) {
    for (int i = 0; i < figures->defect_count; i++) free(figures->defects[i].name);
    free(figures->defects);
    ead_curve_free(&figures->roc);
    ead_curve_free(&figures->pro);
    *figures = (EadFigures){0};
}
