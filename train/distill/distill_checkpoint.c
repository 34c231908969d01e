/* Saving and restoring a distillation. */
#include "train/distill/distill_checkpoint.h"

#include "models/networks/params_file.h"
#include "train/loop/checkpoint.h"
#include "train/support/version.h"

#include <string.h>

#define MEAN "feature_mean"
#define STD  "feature_std"

EadStatus ead_distill_checkpoint_save(const char *path, const EadDistillState *state, const EadConfig *config,
                                      const char *config_text) {
    const EadFileMetadata metadata[] = {{"config", config_text}, {"version", ead_version()}};
    EadFileArray arrays[EAD_CHECKPOINT_ARRAYS + 2] = {{MEAN, EAD_FILE_F32, EAD_FEATURES, state->mean},
                                                      {STD, EAD_FILE_F32, EAD_FEATURES, state->std}};
    ead_checkpoint_arrays(state->optimizer, arrays + 2);
    EadTeacherFile teacher = {state->teacher, config->model_image_size.height, config->model_image_size.width,
                              EAD_FILE_F32};
    return ead_teacher_save(&teacher, path, &(EadFileExtras){metadata, 2, arrays, EAD_CHECKPOINT_ARRAYS + 2});
}

static EadStatus read_statistics(const EadSafetensors *file, const EadDistillState *state) {
    double mean[EAD_FEATURES], std[EAD_FEATURES];
    EAD_TRY(ead_vector_read(file, MEAN, EAD_FEATURES, mean));
    EAD_TRY(ead_vector_read(file, STD, EAD_FEATURES, std));
    for (int c = 0; c < EAD_FEATURES; c++) {
        state->mean[c] = (float)mean[c];
        state->std[c] = (float)std[c];
    }
    return EAD_OK;
}

static EadStatus load(const EadSafetensors *file, const EadDistillState *state, const EadConfig *config) {
    EAD_TRY(ead_checkpoint_check_config(file, config, EAD_SAME_DISTILLATION));
    EAD_TRY(ead_checkpoint_read_optimizer(file, config->distill_steps, "distill.steps", state->optimizer));
    EAD_TRY(read_statistics(file, state));
    return ead_params_read_all(file, state->params);
}

EadStatus ead_distill_checkpoint_load(const char *path, const EadDistillState *state,
                                      const EadConfig *config) {
    EadSafetensors *file;
    EAD_TRY(ead_safetensors_open(path, &file));
    EadStatus status = load(file, state, config);
    ead_safetensors_close(file);
    return status;
}
