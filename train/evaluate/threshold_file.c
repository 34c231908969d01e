/* Reading of the scores; nothing of the file is believed. */
#include "train/evaluate/threshold_file.h"

#include "core/base/memory.h"
#include "core/base/printing.h"

#include <stdlib.h>

EAD_SAME_VALUE(EAD_THRESHOLD_CHOICE_NONE, EAD_THRESHOLD_NONE);
EAD_SAME_VALUE(EAD_THRESHOLD_CHOICE_QUANTILE, EAD_THRESHOLD_QUANTILE);
EAD_SAME_VALUE(EAD_THRESHOLD_CHOICE_FALSE_ALARM_RATE, EAD_THRESHOLD_FALSE_ALARM_RATE);
EAD_SAME_VALUE(EAD_THRESHOLD_CHOICE_PREDICTION, EAD_THRESHOLD_PREDICTION);

EadThresholdRule ead_threshold_rule(const EadConfig *config) {
    bool quantile = config->threshold_method == EAD_THRESHOLD_QUANTILE;
    return (EadThresholdRule){(EadThresholdMethod)config->threshold_method,
                              quantile ? config->threshold_quantile : config->threshold_false_alarm_rate};
}

EadStatus ead_thresholds_choose(const EadImageScores *scores, EadThresholdRule rule, EadModel *model,
                                EadThresholds *out) {
    double sum = 0;
    EAD_TRY(ead_threshold_choose(scores->scores, scores->count, rule, &out->image));
    EAD_TRY(ead_threshold_choose(scores->peaks, scores->count, rule, &out->pixel));
    for (int i = 0; i < scores->count; i++) sum += (double)scores->means[i];
    model->threshold = out->image.value;
    model->pixel_threshold = out->pixel.value;
    model->map_level = (float)(sum / scores->count);
    return EAD_OK;
}

void ead_thresholds_print(FILE *stream, const EadThresholds *thresholds) {
    char text[160];
    ead_threshold_describe(&thresholds->image, text, sizeof text);
    ead_print(stream, "threshold %s\n", text);
    ead_threshold_describe(&thresholds->pixel, text, sizeof text);
    ead_print(stream, "pixel threshold %s\n", text);
}

/* scores [*count], the caller's; NULL and 0 where the file holds none. */
static EadStatus read_scores(const EadSafetensors *file, const char *name, float **scores, int *count) {
    const EadFileTensor *tensor = ead_safetensors_find(file, name);
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

/* rule NULL: *value is kept. */
static EadStatus by_scores(const EadSafetensors *file, const char *name, const EadThresholdRule *rule,
                           float *value, EadThreshold *out) {
    float *scores;
    int count;
    EadStatus status = read_scores(file, name, &scores, &count);
    if (status == EAD_OK && rule && count > 0) {
        status = ead_threshold_choose(scores, count, *rule, out);
        *value = out->value;
    } else if (status == EAD_OK) {
        *out = ead_threshold_assess(*value, scores, count);
    }
    free(scores);
    return status;
}

EadStatus ead_thresholds_by_file(const EadSafetensors *file, EadThresholdsAnew choose, EadThresholdRule rule,
                                 EadModel *model, EadThresholds *out) {
    /* Files of earlier versions hold peaks only where these are not the scores. */
    const char *peaks = ead_safetensors_find(file, EAD_VALIDATION_PEAKS) || !ead_model_scores_by_peak(model)
                            ? EAD_VALIDATION_PEAKS
                            : EAD_VALIDATION_SCORES;
    EAD_TRY(
        by_scores(file, EAD_VALIDATION_SCORES, choose.image ? &rule : NULL, &model->threshold, &out->image));
    if (choose.image && out->image.images == 0)
        return ead_fail(EAD_BAD_FILE,
                        "%s: holds no " EAD_VALIDATION_SCORES ", from which threshold.* could choose; "
                        "give --threshold",
                        ead_safetensors_path(file));
    return by_scores(file, peaks, choose.pixel ? &rule : NULL, &model->pixel_threshold, &out->pixel);
}

EadStatus ead_validation_scores(const EadSafetensors *file, float **scores, int *count) {
    return read_scores(file, EAD_VALIDATION_SCORES, scores, count);
}
