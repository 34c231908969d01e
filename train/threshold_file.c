/* Reading of the scores; nothing of the file is believed. */
#include "train/threshold_file.h"

#include <stdlib.h>

static EadStatus choose(const EadSafetensors *file, const EadFileTensor *tensor, EadThresholdRule rule,
                        EadThreshold *out) {
    double *values = malloc((size_t)tensor->count * sizeof *values);
    float *scores = malloc((size_t)tensor->count * sizeof *scores);
    EadStatus status = values && scores ? ead_file_tensor_to_double(file, tensor, values)
                                        : ead_fail(EAD_NO_MEMORY, "no memory for the validation scores");
    for (int64_t i = 0; i < tensor->count && status == EAD_OK; i++) scores[i] = (float)values[i];
    if (status == EAD_OK) status = ead_threshold_choose(scores, (int)tensor->count, rule, out);
    free(values);
    free(scores);
    return status;
}

EadStatus ead_threshold_from_file(const EadSafetensors *file, EadThresholdRule rule, EadThreshold *out) {
    const EadFileTensor *tensor = ead_safetensors_find(file, EAD_VALIDATION_SCORES);
    if (!tensor || tensor->count < 1 || tensor->count > 100000000)
        return ead_fail(EAD_BAD_FILE,
                        "%s: holds no " EAD_VALIDATION_SCORES ", from which threshold.* could choose; "
                        "give --threshold",
                        ead_safetensors_path(file));
    return choose(file, tensor, rule, out);
}
