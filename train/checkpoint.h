/* checkpoint.safetensors: a model file that also holds Adam's moments and the step, so that training
 * continues to the same bits. */
#ifndef EAD_TRAIN_CHECKPOINT_H
#define EAD_TRAIN_CHECKPOINT_H

#include "autograd/optimizer.h"
#include "models/model.h"
#include "train/config.h"

/* Writes it, complete or not at all. config_text: the effective config as YAML. Errors: EAD_IO,
 * EAD_NO_MEMORY. */
EadStatus ead_checkpoint_save(const char *path, const EadModel *model, const EadOptimizer *optimizer,
                              const char *config_text);

/* Reads teacher, student, autoencoder and teacher statistics into `model` and the state into `optimizer`.
 * Errors: EAD_IO, EAD_BAD_FILE; EAD_BAD_ARGUMENT if it was made with a config that trains differently, naming
 * the key. Keys that do not change the result (output, cache, threads, checkpoints, evaluation) and
 * train.steps, for those who want to train longer, may differ. */
EadStatus ead_checkpoint_load(const char *path, EadModel *model, EadOptimizer *optimizer,
                              const EadConfig *config);

#endif
