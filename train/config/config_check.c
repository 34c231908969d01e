/* What the values of a config must fulfil together, the data set that they name, and where two configs differ. */
#include "train/config/config.h"

#include "core/base/paths.h"

#include <stdlib.h>
#include <string.h>

static bool empty(const char *text) {
    return text[0] == '\0';
}

EadStatus ead_config_check(const EadConfig *config) {
    bool folder = config->dataset_type == EAD_DATASET_folder;
    if (empty(config->output))
        return ead_fail(EAD_BAD_ARGUMENT, "output is not set; set it to the run folder");
    if (folder && empty(config->dataset_path) && empty(config->dataset_train_good))
        return ead_fail(EAD_BAD_ARGUMENT,
                        "dataset.path is not set; set it to the folder of the images, or set "
                        "dataset.train_good to a folder of flawless ones");
    if (folder && !empty(config->dataset_masks) && empty(config->dataset_defects))
        return ead_fail(EAD_BAD_ARGUMENT,
                        "dataset.masks is set, but dataset.defects is not; set both or neither");
    if (folder) return EAD_OK;
    if (empty(config->dataset_path))
        return ead_fail(EAD_BAD_ARGUMENT,
                        "dataset.path is not set; set it to the folder that holds the categories");
    if (empty(config->dataset_category))
        return ead_fail(EAD_BAD_ARGUMENT, "dataset.category is not set; set it to a subfolder of %s",
                        config->dataset_path);
    if (strcmp(config->dataset_category, "all") == 0)
        return ead_fail(EAD_BAD_ARGUMENT,
                        "dataset.category is all, but a run has one category; efficientad sweep "
                        "runs over several");
    return EAD_OK;
}

EadStatus ead_config_open_dataset(const EadConfig *config, EadDataset *dataset) {
    char type[EAD_CHOICE_SIZE];
    EadDatasetSpec spec = {.type = ead_config_choice(config, EAD_KEY_dataset_type, type),
                           /* Folders of a folder data set may stand alone; then they start from here. */
                           .path = config->dataset_path[0] ? config->dataset_path : ".",
                           .category = config->dataset_category,
                           .validation_fraction = config->dataset_validation_fraction,
                           .seed = config->train_seed,
                           .normal_folder = config->dataset_train_good,
                           .good_folder = config->dataset_test_good,
                           .defect_folder = config->dataset_defects,
                           .mask_folder = config->dataset_masks};
    return ead_dataset_open(&spec, dataset);
}

const char *ead_config_dataset_name(const EadConfig *config) {
    if (config->dataset_type != EAD_DATASET_folder) return config->dataset_category;
    const char *path = config->dataset_path[0] ? config->dataset_path : config->dataset_train_good;
    const char *base = ead_path_base(path);
    return *base ? base : path;
}

/* ---- two configs ---- */

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

bool ead_config_matters(int key) {
    return first_scope_of(key) >= 0;
}

int ead_config_difference(const EadConfig *a, const EadConfig *b, EadCompareScope scope) {
    for (int i = 0; i < EAD_CONFIG_KEYS; i++) {
        const EadConfigKey *key = ead_config_key(i);
        const void *left = (const char *)a + key->offset, *right = (const char *)b + key->offset;
        int from = first_scope_of(i);
        bool must_agree =
            scope == EAD_SAME_DISTILLATION ? matters_to_distillation(i) : from >= 0 && from <= (int)scope;
        if (must_agree && !ead_value_equal(key->rule.kind, left, right)) return i;
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
