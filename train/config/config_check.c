/* What the values of a config must fulfil together, and the data set that they name. */
#include "train/config/config.h"

#include "core/base/paths.h"

#include <string.h>

static bool empty(const char *text) {
    return text[0] == '\0';
}

static EadStatus check_collection(const EadConfig *config) {
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

static EadStatus check_folder(const EadConfig *config) {
    if (empty(config->dataset_path) && empty(config->dataset_train_good))
        return ead_fail(EAD_BAD_ARGUMENT,
                        "dataset.path is not set; set it to the folder of the images, or set "
                        "dataset.train_good to a folder of flawless ones");
    if (!empty(config->dataset_masks) && empty(config->dataset_defects))
        return ead_fail(EAD_BAD_ARGUMENT,
                        "dataset.masks is set, but dataset.defects is not; set both or neither");
    return EAD_OK;
}

EadStatus ead_config_check(const EadConfig *config) {
    if (config->maps_q_start >= config->maps_q_end)
        return ead_fail(EAD_BAD_ARGUMENT, "maps.q_start (%g) must be less than maps.q_end (%g)",
                        config->maps_q_start, config->maps_q_end);
    if (config->maps_select == EAD_SELECT_CHOICE_AE && !config->autoencoder_enabled)
        return ead_fail(EAD_BAD_ARGUMENT,
                        "maps.select is ae, but autoencoder.enabled is false; set one of them otherwise");
    if (empty(config->output))
        return ead_fail(EAD_BAD_ARGUMENT, "output is not set; set it to the run folder");
    return config->dataset_type == EAD_DATASET_folder ? check_folder(config) : check_collection(config);
}

EadStatus ead_config_check_training(const EadConfig *config) {
    EAD_TRY(ead_config_check(config));
    if (config->loss_penalty && empty(config->penalty_path))
        return ead_fail(EAD_BAD_ARGUMENT,
                        "loss.penalty is true, but penalty.path is not set; set it to a folder or "
                        ".tar archive of varied photographs, or set loss.penalty=false");
    return EAD_OK;
}

EadStatus ead_config_check_distillation(const EadConfig *config) {
    if (empty(config->distill_backbone))
        return ead_fail(
            EAD_BAD_ARGUMENT,
            "distill.backbone is not set; set it to a .safetensors file of a ResNet or WideResNet with "
            "torchvision's tensor names");
    if (empty(config->distill_images))
        return ead_fail(
            EAD_BAD_ARGUMENT,
            "distill.images is not set; set it to a folder or .tar archive of varied photographs");
    if (empty(config->output))
        return ead_fail(EAD_BAD_ARGUMENT, "output is not set; set it to the run folder");
    return EAD_OK;
}

EadStatus ead_config_open_dataset(const EadConfig *config, EadDataset *dataset) {
    char type[EAD_CHOICE_SIZE];
    /* Folders of a folder data set may stand alone, then they start from the current directory. */
    const char *path = config->dataset_path[0] ? config->dataset_path : ".";
    EadDatasetSpec spec = {.type = ead_config_choice(config, EAD_KEY_dataset_type, type),
                           .path = path,
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
