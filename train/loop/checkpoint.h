/* checkpoint.safetensors: what the method keeps (for a detector, its model file) with the optimizers' state
 * and the number of steps, so that a run continues to the same bits. */
#pragma once

#include "core/file/safetensors.h"
#include "data/source/image_list.h"
#include "train/config/config.h"
#include "train/loop/step.h"

/* Adds to a file that holds the method's part: the config as YAML, the steps done in all phases, the state
 * of the phase's step, which must have been downloaded (NULL: no steps). Errors: EAD_NO_MEMORY. */
EadStatus ead_checkpoint_write(EadSafetensorsWriter *writer, const char *config_text, int64_t done,
                               const EadStep *step);

/* Adds how many images a list that steps draw from has, and a hash of their names below the folder that all are in: of a
 * copy elsewhere these are the same. what: "training images". Errors: EAD_NO_MEMORY. */
EadStatus ead_checkpoint_write_list(EadSafetensorsWriter *writer, const char *what, const EadImageList *list);

/* Says on stderr where the file was written with another list. A file without that says nothing. */
void ead_checkpoint_compare_list(const EadSafetensors *file, const char *what, const EadImageList *list);

/* Whether the file is the model of a finished run, which holds no state of steps. */
bool ead_checkpoint_is_model(const EadSafetensors *file);

/* Checks that the file, a checkpoint or such a model, was made with a config that trains alike, as far as `scope` asks,
 * and gives the steps done. Keys that do not change the result (output, cache, threads, checkpoints, evaluation) and the number
 * of steps, for those who want to train longer, may differ. Errors: EAD_BAD_FILE if it is neither, or
 * was made after more than `steps` steps, the value of the config key steps_key; EAD_BAD_ARGUMENT naming the
 * key that differs, or, of a model made after fewer steps, what further ones take. */
EadStatus ead_checkpoint_check(const EadSafetensors *file, const EadConfig *config, EadCompareScope scope,
                               int64_t steps, const char *steps_key, int64_t *done);

/* Reads the state of a step done `done` times in its phase. Errors: EAD_BAD_FILE if it does not fit. */
EadStatus ead_checkpoint_read(const EadSafetensors *file, int64_t done, EadStep *step);
