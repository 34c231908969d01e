/* Reading of the scores; nothing of the file is believed. */
#include "train/evaluate/threshold_file.h"

#include "core/base/memory.h"

#include <stdlib.h>

EAD_SAME_VALUE(EAD_THRESHOLD_CHOICE_NONE, EAD_THRESHOLD_NONE);
EAD_SAME_VALUE(EAD_THRESHOLD_CHOICE_QUANTILE, EAD_THRESHOLD_QUANTILE);
EAD_SAME_VALUE(EAD_THRESHOLD_CHOICE_FALSE_ALARM_RATE, EAD_THRESHOLD_FALSE_ALARM_RATE);

EadThresholdRule ead_threshold_rule(const EadConfig *config) {
    bool quantile = config->threshold_method == EAD_THRESHOLD_QUANTILE;
    return (EadThresholdRule){(EadThresholdMethod)config->threshold_method,
                              quantile ? config->threshold_quantile : config->threshold_false_alarm_rate};
}

/* scores [*count], the caller's; NULL and 0 where the file holds none. */
static EadStatus read_scores(const EadSafetensors *file, float **scores, int *count) {
    const EadFileTensor *tensor = ead_safetensors_find(file, EAD_VALIDATION_SCORES);
    *scores = NULL;
    *count = 0;
    if (!tensor || tensor->count < 1 || tensor->count > 100000000) return EAD_OK;
    double *values = ead_new(tensor->count, sizeof *values, "the validation scores");
    *scores = ead_new(tensor->count, sizeof **scores, "the validation scores");
    EadStatus status = values && *scores ? ead_file_tensor_to_double(file, tensor, values) : EAD_NO_MEMORY;
    if (status == EAD_OK) *count = (int)tensor->count;
    for (int i = 0; i < *count; i++) (*scores)[i] = (float)values[i];
    free(values);
    return status;
}

EadStatus ead_threshold_from_file(const EadSafetensors *file, EadThresholdRule rule, EadThreshold *out) {
    float *scores;
    int count;
    EadStatus status = read_scores(file, &scores, &count);
    if (status == EAD_OK && count == 0)
        status = ead_fail(EAD_BAD_FILE,
                          "%s: holds no " EAD_VALIDATION_SCORES ", from which threshold.* could choose; "
                          "give --threshold",
                          ead_safetensors_path(file));
    if (status == EAD_OK) status = ead_threshold_choose(scores, count, rule, out);
    free(scores);
    return status;
}

EadStatus ead_threshold_assess_by_file(const EadSafetensors *file, float value, EadThreshold *out) {
    float *scores;
    int count;
    EadStatus status = read_scores(file, &scores, &count);
    if (status == EAD_OK) *out = ead_threshold_assess(value, scores, count);
    free(scores);
    return status;
}
