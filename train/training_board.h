/* What a training run shows in TensorBoard while it goes on: losses and learning rate some 1,000 times, and a
 * dozen times the anomaly maps of a few test images. Those are for the eye: nothing is decided by them. */
#pragma once

#include "core/plan/plan.h"
#include "data/dataset/dataset.h"
#include "models/method.h"
#include "train/loop/loss_log.h"
#include "train/loop/tensorboard_file.h"

#define EAD_BOARD_PICTURES 4 /* at most: the first image of as many kinds of defects */

typedef struct EadTrainingBoard {
    EadTensorboardFile file; /* closed: nothing is logged */
    int64_t steps, pictured; /* of the whole run; step of the last pictures */
    EadImage images[EAD_BOARD_PICTURES];
    char *tags[EAD_BOARD_PICTURES]; /* "map/scratch" */
    int image_count;
} EadTrainingBoard;

/* Opens a log for a run of `steps` steps of which `done` are done, and reads the images by rules (NULL: as usual), smaller if
 * the model looks at them whole and not in tiles; one that its region is not for is left out. Errors: EAD_IO, EAD_NO_MEMORY, those of reading an image. Close it in every case. */
EadStatus ead_training_board_open(EadTrainingBoard *board, const char *folder, int64_t steps, int64_t done,
                                  const EadDataset *dataset, const EadImageRules *rules,
                                  const EadModel *model);

/* The losses of a step that was done, and behind them the learning rate. Errors: EAD_IO, EAD_NO_MEMORY. */
EadStatus ead_training_board_step(EadTrainingBoard *board, int64_t step, const EadLossColumn *columns,
                                  const float *values);

/* Values measured after a step, one a column, whenever they come. Errors as above. */
EadStatus ead_training_board_values(EadTrainingBoard *board, int64_t step, const EadLossColumn *columns,
                                    const float *values);

/* The maps after a step, not normalised, each coloured from its own mean to its maximum, if the last ones are
 * long enough ago. Makes a detector for it. Errors: EAD_IO, EAD_NO_MEMORY. */
EadStatus ead_training_board_maps(EadTrainingBoard *board, int64_t step, const EadModel *model,
                                  const EadBackend *backend);

/* Harmless on a zeroed board. */
void ead_training_board_close(EadTrainingBoard *board);
