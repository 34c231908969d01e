/* checkpoint.safetensors of a distillation: a teacher file with Adam's state and the statistics of the
 * features. */
#ifndef EAD_TRAIN_DISTILL_CHECKPOINT_H
#define EAD_TRAIN_DISTILL_CHECKPOINT_H

#include "autograd/optimizer.h"
#include "models/efficientad/model.h"
#include "train/config/config.h"

/* What a distillation changes; all borrowed. */
typedef struct EadDistillState {
    EadPdn teacher;
    EadParams *params; /* the teacher's */
    EadOptimizer *optimizer;
    float *mean, *std; /* [EAD_FEATURES] of the backbone's features */
} EadDistillState;

/* Writes it, complete or not at all. Errors: EAD_IO, EAD_NO_MEMORY. */
EadStatus ead_distill_checkpoint_save(const char *path, const EadDistillState *state, const EadConfig *config,
                                      const char *config_text);

/* Reads it back. Errors: EAD_IO, EAD_BAD_FILE; EAD_BAD_ARGUMENT if it was made with a config that distils
 * differently, naming the key. distill.steps, output, threads and checkpoints may differ, as may all that
 * distillation does not read. */
EadStatus ead_distill_checkpoint_load(const char *path, const EadDistillState *state,
                                      const EadConfig *config);

#endif
