/* From the config's keys to an open data set. */
#ifndef EAD_TRAIN_CONFIG_DATASET_H
#define EAD_TRAIN_CONFIG_DATASET_H

#include "data/dataset.h"
#include "train/config.h"

/* Opens the data set that dataset.* name, split by train.seed. Errors: those of ead_dataset_open(). *dataset
 * is empty then, else the caller frees it. */
EadStatus ead_config_open_dataset(const EadConfig *config, EadDataset *dataset);

#endif
