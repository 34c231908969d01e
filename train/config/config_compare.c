/* Comparison key by key; which keys matter for what. */
#include "train/config/config.h"

#include <stdlib.h>
#include <string.h>

/* The first scope for which a key must agree; -1: it never matters. A new key matters unless it is named
 * here: a needless refusal is seen, a wrong resume is not. */
static int first_scope_of(int key) {
    switch (key) {
    case EAD_KEY_output:
    case EAD_KEY_dataset_cache:
    case EAD_KEY_train_threads:
    case EAD_KEY_train_teacher_cache:
    case EAD_KEY_train_checkpoint_every:
    case EAD_KEY_train_tensorboard:
    case EAD_KEY_eval_maps:
    case EAD_KEY_eval_overlays:
        return -1;
    case EAD_KEY_train_steps:
        return EAD_SAME_TRAINING;
    case EAD_KEY_maps_normalization:
    case EAD_KEY_maps_q_start:
    case EAD_KEY_maps_q_end:
    case EAD_KEY_maps_select:
    case EAD_KEY_eval_pro_max_fpr:
    case EAD_KEY_threshold_method:
    case EAD_KEY_threshold_quantile:
    case EAD_KEY_threshold_false_alarm_rate:
        return EAD_SAME_RESULT;
    default:
        return ead_config_key_is_of_distillation((EadConfigKeyId)key) ? -1 : EAD_SAME_STEPS;
    }
}

static bool matters_to_distillation(int key) {
    switch (key) {
    case EAD_KEY_model_size:
    case EAD_KEY_model_image_size:
    case EAD_KEY_train_seed:
    case EAD_KEY_train_precision:
        return true;
    case EAD_KEY_distill_steps:
        return false;
    default:
        return ead_config_key_is_of_distillation((EadConfigKeyId)key);
    }
}

static bool must_agree(int key, EadCompareScope scope) {
    if (scope == EAD_SAME_DISTILLATION) return matters_to_distillation(key);
    int from = first_scope_of(key);
    return from >= 0 && from <= (int)scope;
}

bool ead_config_matters(int key) {
    return first_scope_of(key) >= 0;
}

int ead_config_difference(const EadConfig *a, const EadConfig *b, EadCompareScope scope) {
    for (int i = 0; i < EAD_CONFIG_KEYS; i++) {
        const EadConfigKey *key = ead_config_key(i);
        const void *left = (const char *)a + key->offset, *right = (const char *)b + key->offset;
        if (must_agree(i, scope) && !ead_value_equal(key->rule.kind, left, right)) return i;
    }
    return -1;
}

EadStatus ead_config_fail_difference(const EadConfig *a, const EadConfig *b, int key, const char *label,
                                     const char *hint) {
    char *before = NULL, *now = NULL;
    EadStatus status = ead_config_value_text(a, (EadConfigKeyId)key, &before);
    if (status == EAD_OK) status = ead_config_value_text(b, (EadConfigKeyId)key, &now);
    if (status == EAD_OK)
        status = ead_fail(EAD_BAD_ARGUMENT, "%s: was made with %s: %s, the config now says %s; %s", label,
                          ead_config_key(key)->rule.name, before, now, hint);
    free(before);
    free(now);
    return status;
}
