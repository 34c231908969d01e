/* checkpoint.safetensors: a model file that also holds Adam's moments and the step, so that training
 * continues to the same bits. The parts serve distillation too, whose model is a teacher alone. */
#ifndef EAD_TRAIN_CHECKPOINT_H
#define EAD_TRAIN_CHECKPOINT_H

#include "train/config/config.h"
#include "autograd/optimizer.h"
#include "models/efficientad/model.h"

/* Writes it, complete or not at all. config_text: the effective config as YAML. Errors: EAD_IO,
 * EAD_NO_MEMORY. */
EadStatus ead_checkpoint_save(const char *path, const EadEfficientad *model, const EadOptimizer *optimizer,
                              const char *config_text);

/* Reads teacher, student, autoencoder and teacher statistics into `model` and the state into `optimizer`.
 * Errors: EAD_IO, EAD_BAD_FILE; EAD_BAD_ARGUMENT if it was made with a config that trains differently, naming
 * the key. Keys that do not change the result (output, cache, threads, checkpoints, evaluation) and
 * train.steps, for those who want to train longer, may differ. */
EadStatus ead_checkpoint_load(const char *path, EadEfficientad *model, EadOptimizer *optimizer,
                              const EadConfig *config);

/* ---- the parts ---- */

enum { EAD_CHECKPOINT_ARRAYS = 3 };

/* The optimizer's state as arrays for a file, which borrow from it. */
void ead_checkpoint_arrays(const EadOptimizer *optimizer, EadFileArray arrays[EAD_CHECKPOINT_ARRAYS]);

/* Reads them back. Errors: EAD_BAD_FILE if they do not fit, or were made after more than `steps` steps, the
 * value of the config key steps_key. */
EadStatus ead_checkpoint_read_optimizer(const EadSafetensors *file, int64_t steps, const char *steps_key,
                                        EadOptimizer *optimizer);

/* Errors: EAD_BAD_ARGUMENT if the file was made with a config that differs as far as `sameness` asks, naming
 * the key; EAD_BAD_FILE. */
EadStatus ead_checkpoint_check_config(const EadSafetensors *file, const EadConfig *config,
                                      EadCompareScope sameness);

#endif
