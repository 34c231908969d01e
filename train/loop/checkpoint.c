/* Saving and restoring everything that a step changes. */
#include "train/loop/checkpoint.h"

#include "models/efficientad/model.h"
#include "train/support/version.h"

#include <string.h>

#define FIRST_MOMENTS  "adam.first"
#define SECOND_MOMENTS "adam.second"
#define STEP           "step"

void ead_checkpoint_arrays(const EadOptimizer *optimizer, EadFileArray arrays[EAD_CHECKPOINT_ARRAYS]) {
    arrays[0] = (EadFileArray){FIRST_MOMENTS, EAD_FILE_F32, optimizer->count, optimizer->first};
    arrays[1] = (EadFileArray){SECOND_MOMENTS, EAD_FILE_F32, optimizer->count, optimizer->second};
    arrays[2] = (EadFileArray){STEP, EAD_FILE_I64, 1, &optimizer->step};
}

EadStatus ead_checkpoint_check_config(const EadSafetensors *file, const EadConfig *config,
                                      EadCompareScope sameness) {
    const char *path = ead_safetensors_path(file), *text = ead_safetensors_metadata(file, "config");
    if (!text) return ead_fail(EAD_BAD_FILE, "%s: is no checkpoint: it holds no config", path);
    EadConfig saved;
    EAD_TRY(ead_config_defaults(&saved));
    EadStatus status = ead_config_parse(text, strlen(text), path, &saved);
    int key = status == EAD_OK ? ead_config_difference(&saved, config, sameness) : -1;
    if (key >= 0)
        status = ead_config_fail_difference(&saved, config, key, path,
                                            "change it back, or start anew with another --output");
    ead_config_free(&saved);
    return status;
}

static EadStatus read_array(const EadSafetensors *file, const char *name, EadFileType type, int64_t count,
                            size_t bytes, void *out) {
    const EadFileTensor *tensor = ead_safetensors_find(file, name);
    if (!tensor || tensor->type != type || tensor->count != count || tensor->bytes != bytes)
        return ead_fail(EAD_BAD_FILE,
                        "%s: tensor '%s' is missing or does not fit; it is no checkpoint of this model",
                        ead_safetensors_path(file), name);
    memcpy(out, tensor->data, bytes);
    return EAD_OK;
}

EadStatus ead_checkpoint_read_optimizer(const EadSafetensors *file, int64_t steps, const char *steps_key,
                                        EadOptimizer *optimizer) {
    size_t bytes = (size_t)optimizer->count * sizeof(float);
    EAD_TRY(read_array(file, FIRST_MOMENTS, EAD_FILE_F32, optimizer->count, bytes, optimizer->first));
    EAD_TRY(read_array(file, SECOND_MOMENTS, EAD_FILE_F32, optimizer->count, bytes, optimizer->second));
    EAD_TRY(read_array(file, STEP, EAD_FILE_I64, 1, sizeof optimizer->step, &optimizer->step));
    if (optimizer->step >= 0 && optimizer->step <= steps) return EAD_OK;
    return ead_fail(EAD_BAD_FILE, "%s: was made after step %lld, but %s is %lld; raise %s",
                    ead_safetensors_path(file), (long long)optimizer->step, steps_key, (long long)steps,
                    steps_key);
}

/* ---- training ---- */

EadStatus ead_checkpoint_save(const char *path, const EadEfficientad *model, const EadOptimizer *optimizer,
                              const char *config_text) {
    const EadFileMetadata metadata[] = {{"config", config_text}, {"version", ead_version()}};
    EadFileArray arrays[EAD_CHECKPOINT_ARRAYS];
    ead_checkpoint_arrays(optimizer, arrays);
    return ead_model_save(&model->base, path, &(EadFileExtras){metadata, 2, arrays, EAD_CHECKPOINT_ARRAYS});
}

/* Moves what was read into the model that the training step was planned on. */
static EadStatus adopt(const char *path, EadEfficientad *model, EadEfficientad *read) {
    bool same = model->teacher.total == read->teacher.total && model->trained.total == read->trained.total;
    if (!same)
        return ead_fail(EAD_BAD_FILE, "%s: holds another kind of model than the config asks for", path);
    memcpy(model->teacher.values, read->teacher.values, (size_t)model->teacher.total * sizeof(real));
    memcpy(model->trained.values, read->trained.values, (size_t)model->trained.total * sizeof(real));
    memcpy(model->teacher_mean, read->teacher_mean, sizeof model->teacher_mean);
    memcpy(model->teacher_std, read->teacher_std, sizeof model->teacher_std);
    memcpy(model->teacher_scale, read->teacher_scale, sizeof model->teacher_scale);
    memcpy(model->teacher_shift, read->teacher_shift, sizeof model->teacher_shift);
    return EAD_OK;
}

static EadStatus load(const EadSafetensors *file, EadEfficientad *model, EadOptimizer *optimizer,
                      const EadConfig *config) {
    EadModel *read;
    EAD_TRY(ead_checkpoint_check_config(file, config, EAD_SAME_STEPS));
    EAD_TRY(ead_checkpoint_read_optimizer(file, config->train_steps, "train.steps", optimizer));
    EAD_TRY(ead_model_read(file, &read));
    EadStatus status = adopt(ead_safetensors_path(file), model, (EadEfficientad *)read);
    ead_model_free(read);
    return status;
}

EadStatus ead_checkpoint_load(const char *path, EadEfficientad *model, EadOptimizer *optimizer,
                              const EadConfig *config) {
    EadSafetensors *file;
    EAD_TRY(ead_safetensors_open(path, &file));
    EadStatus status = load(file, model, optimizer, config);
    ead_safetensors_close(file);
    return status;
}
