/* The images of a training: data set, split and penalty images, decoded once and fed by a loader. */
#ifndef EAD_TRAIN_TRAINER_DATA_H
#define EAD_TRAIN_TRAINER_DATA_H

#include "data/dataset/dataset.h"
#include "data/source/loader.h"
#include "data/loader/training_images.h"
#include "train/config/config.h"
#include "train/efficientad/training_step.h"

typedef struct EadTrainerData {
    EadDataset dataset;
    EadImageList penalty_list;                   /* its images; empty when that loss is off */
    EadImageCache *train, *validation, *penalty; /* penalty: NULL when that loss is off */
    EadTrainingImages images;
    EadBatchSlots slots;
    EadLoader *loader; /* NULL until ead_trainer_data_start(), and where there is nothing to bring */
} EadTrainerData;

/* Lists the images that the config asks for; nothing is written. Errors: those of data/. Close in every case.
 */
EadStatus ead_trainer_data_list(const EadConfig *config, EadTrainerData *data);

/* Decodes and caches the images listed. Errors: those of data/. */
EadStatus ead_trainer_data_open(const EadConfig *config, bool quiet, EadTrainerData *data);

/* Starts the worker threads at a 1-based step. tables: those of the step, which then needs to be brought the
 * other images only; where there are none, nothing is started. *data must not move afterwards. */
EadStatus ead_trainer_data_start(EadTrainerData *data, const EadResidentData *tables, int64_t first_step);

void ead_trainer_data_close(EadTrainerData *data);

#endif
