/* From the config's keys to an open data set. */
#ifndef EAD_TRAIN_CONFIG_DATASET_H
#define EAD_TRAIN_CONFIG_DATASET_H

#include "data/dataset/dataset.h"
#include "train/config/config.h"

/* Opens the data set that dataset.* name, split by train.seed. Errors: those of ead_dataset_open(). *dataset
 * is empty then, else the caller frees it. */
EadStatus ead_config_open_dataset(const EadConfig *config, EadDataset *dataset);

/* What people call the data set: the category, or the last folder of dataset.path. Borrowed from config. */
const char *ead_config_dataset_name(const EadConfig *config);

#endif
