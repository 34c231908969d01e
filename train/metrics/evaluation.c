/* Collecting of scores, maps and masks. */
#include "train/metrics/evaluation.h"

#include "core/base/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static EadStatus add_group(EadEvaluation *e, const char *name) {
    EAD_TRY(
        ead_grow(&e->groups, &e->group_capacity, e->group_count, sizeof *e->groups, "the kinds of defects"));
    char *copy = name ? ead_strdup(name) : NULL;
    if (name && !copy) return EAD_NO_MEMORY;
    e->groups[e->group_count++] = (DefectGroup){.name = copy};
    return EAD_OK;
}

EadStatus ead_evaluation_new(EadEvaluation **evaluation) {
    EadEvaluation *e = ead_new(1, sizeof *e, "the evaluation");
    *evaluation = e;
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
                            const EadGroundTruth *truth) {
    bool anomalous = group > 0;
    if (!map || (anomalous && !truth)) {
        e->groups[group].incomplete = true;
        return EAD_OK;
    }
    int64_t clean = !anomalous && truth ? (int64_t)truth->mask.width * truth->mask.height : 0;
    for (int64_t i = 0; i < clean; i++)
        if (truth->mask.pixels[i])
            return ead_fail(EAD_BAD_ARGUMENT, "the mask of a good image marks a defect");
    return ead_pro_add(e->pro, map, width, height, anomalous ? truth : NULL, group);
}

EadStatus ead_evaluation_add(EadEvaluation *evaluation, const char *path, const char *defect, int anomalous,
                             float score, const float *map, int width, int height,
                             const EadGroundTruth *truth) {
    EadEvaluation *e = evaluation;
    if (!isfinite(score))
        return ead_fail(EAD_BAD_ARGUMENT, "%s: score is %g: the model's weights are broken", path,
                        (double)score);
    if (!defect) defect = anomalous ? "defect" : "good";
    EadSample sample = {.anomalous = anomalous != 0, .score = score};
    EAD_TRY(find_group(e, defect, anomalous != 0, &sample.group));
    EAD_TRY(find_types(e, truth, &sample));
    EAD_TRY(ead_grow(&e->samples, &e->capacity, e->count, sizeof sample, "the scores of the test images"));
    sample.path = ead_strdup(path);
    sample.defect = ead_strdup(defect);
    EadStatus status = sample.path && sample.defect ? EAD_OK : EAD_NO_MEMORY;
    if (status == EAD_OK) {
        status = add_pixels(e, sample.group, map, width, height, truth);
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

void ead_evaluation_set_pro_limit(EadEvaluation *evaluation, double limit) {
    evaluation->pro_limit = limit;
}

const EadSample *ead_evaluation_samples(const EadEvaluation *evaluation, int64_t *count) {
    *count = evaluation->count;
    return evaluation->samples;
}
