/* Where two configs differ, and for what that matters. */
#include "train/config/config.h"

#include "core/base/paths.h"

#include <stdlib.h>
#include <string.h>

/* What distill alone reads matters to no training or evaluation. */
static bool is_of_distillation(int key) {
    return strcmp(ead_config_key(key)->readers, "distill") == 0;
}

/* The first scope for which a key must agree; -1: it never matters. A new key matters unless it is named
 * here: a needless refusal is seen, a wrong resume is not. */
static int first_scope_of(int key) {
    switch (key) {
    case EAD_KEY_output:
    case EAD_KEY_dataset_cache:
    case EAD_KEY_dataset_max_pixels:
    case EAD_KEY_dataset_strict:
    case EAD_KEY_train_threads:
    case EAD_KEY_train_teacher_cache:
    case EAD_KEY_train_checkpoint_every:
    case EAD_KEY_train_tensorboard:
    case EAD_KEY_train_test_every:
    case EAD_KEY_train_keep:
    case EAD_KEY_eval_maps:
    case EAD_KEY_eval_overlays:
        return -1;
    case EAD_KEY_train_steps:
    case EAD_KEY_patchcore_add:
    case EAD_KEY_simplenet_epochs:
    case EAD_KEY_fastflow_epochs:
    case EAD_KEY_student_teacher_epochs:
        return EAD_SAME_TRAINING;
    case EAD_KEY_maps_normalization:
    case EAD_KEY_maps_q_start:
    case EAD_KEY_maps_q_end:
    case EAD_KEY_maps_select:
    case EAD_KEY_patchcore_ensemble_fusion:
    case EAD_KEY_eval_pro_max_fpr:
    case EAD_KEY_score_method:
    case EAD_KEY_score_cells:
    case EAD_KEY_threshold_method:
    case EAD_KEY_threshold_quantile:
    case EAD_KEY_threshold_false_alarm_rate:
        return EAD_SAME_RESULT;
    default:
        return is_of_distillation(key) ? -1 : EAD_SAME_STEPS;
    }
}

static bool matters_to_distillation(int key) {
    switch (key) {
    case EAD_KEY_model_size:
    case EAD_KEY_model_image_size:
    case EAD_KEY_model_init:
    case EAD_KEY_train_seed:
    case EAD_KEY_train_precision:
        return true;
    case EAD_KEY_distill_steps:
    case EAD_KEY_distill_judges:
        return false;
    default:
        return is_of_distillation(key);
    }
}

bool ead_config_matters(int key) {
    return first_scope_of(key) >= 0;
}

static bool equal(const EadConfig *a, const EadConfig *b, int key) {
    return ead_value_equal(ead_config_key(key)->rule.kind, ead_config_member(a, key),
                           ead_config_member(b, key));
}

/* Whether a key names the same file or folder in both, however it is spelled. */
static bool same_path(const EadConfig *a, const EadConfig *b, int key) {
    const char *left = *(char *const *)ead_config_member(a, key);
    const char *right = *(char *const *)ead_config_member(b, key);
    bool word = key == EAD_KEY_penalty_path && (ead_config_draws_penalty(a) || ead_config_draws_penalty(b));
    bool below = key == EAD_KEY_dataset_train_good || key == EAD_KEY_dataset_test_good ||
                 key == EAD_KEY_dataset_defects || key == EAD_KEY_dataset_masks; /* dataset.path */
    EadPath first, second;
    if (key == EAD_KEY_model_backbone && !*left) left = EAD_DEFAULT_BACKBONE;
    if (key == EAD_KEY_model_backbone && !*right) right = EAD_DEFAULT_BACKBONE;
    if (strcmp(left, right) == 0) return true; /* the name of a network */
    return !word && *left && *right && ead_path_in(first, below ? a->dataset_path : "", left) == EAD_OK &&
           ead_path_in(second, below ? b->dataset_path : "", right) == EAD_OK && ead_path_same(first, second);
}

bool ead_config_same_dataset(const EadConfig *a, const EadConfig *b) {
    for (int key = EAD_KEY_dataset_type; key <= EAD_KEY_dataset_masks; key++)
        if (!equal(a, b, key)) return false;
    return true;
}

int ead_config_difference(const EadConfig *a, const EadConfig *b, EadCompareScope scope) {
    for (int i = 0; i < EAD_CONFIG_KEYS; i++) {
        int from = first_scope_of(i);
        bool must_agree =
            scope == EAD_SAME_DISTILLATION ? matters_to_distillation(i) : from >= 0 && from <= (int)scope;
        if (!must_agree || equal(a, b, i)) continue;
        if (ead_config_key(i)->rule.kind != EAD_KIND_PATH || !same_path(a, b, i)) return i;
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
