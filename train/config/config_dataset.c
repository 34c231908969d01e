/* The rows dataset.* as an EadDatasetSpec. */
#include "train/config/config_dataset.h"

#include "core/base/paths.h"

EadStatus ead_config_open_dataset(const EadConfig *config, EadDataset *dataset) {
    char type[EAD_CHOICE_SIZE];
    /* Folders of a folder data set may stand alone, then they start from the current directory. */
    const char *path = config->dataset_path[0] ? config->dataset_path : ".";
    EadDatasetSpec spec = {.type = ead_config_choice(config, EAD_KEY_dataset_type, type),
                           .path = path,
                           .category = config->dataset_category,
                           .validation_fraction = config->dataset_validation_fraction,
                           .seed = config->train_seed,
                           .normal_folder = config->dataset_normal,
                           .good_folder = config->dataset_test_good,
                           .defect_folder = config->dataset_defects,
                           .mask_folder = config->dataset_masks};
    return ead_dataset_open(&spec, dataset);
}

const char *ead_config_dataset_name(const EadConfig *config) {
    if (config->dataset_type != EAD_DATASET_folder) return config->dataset_category;
    const char *path = config->dataset_path[0] ? config->dataset_path : config->dataset_normal;
    const char *base = ead_path_base(path);
    return *base ? base : path;
}
