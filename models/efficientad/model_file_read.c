/* Reading of model files. Nothing in the file is believed before it is checked. */
#include "models/efficientad/model_file.h"
#include "models/networks/params_file.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static EadStatus bad_metadata(const EadSafetensors *file, const char *key, const char *value,
                              const char *expected) {
    return ead_fail(EAD_BAD_FILE, "%s: metadata '%s' is '%s', expected %s; %s", ead_safetensors_path(file),
                    key, value ? value : "(missing)", expected, EAD_MODEL_FILE_HINT);
}

/* The position of a metadata value in a list of allowed ones; -1 with the error set if it is none of them. */
static int read_choice(const EadSafetensors *file, const char *key, const char *const *choices,
                       const char *all) {
    const char *value = ead_safetensors_metadata(file, key);
    for (int i = 0; value && choices[i]; i++)
        if (strcmp(value, choices[i]) == 0) return i;
    bad_metadata(file, key, value, all);
    return -1;
}

static EadStatus read_size(const EadSafetensors *file, EadPdnSize *out) {
    int size = read_choice(file, "model", (const char *const[]){"small", "medium", NULL}, "small or medium");
    *out = size == 1 ? EAD_PDN_MEDIUM : EAD_PDN_SMALL;
    return size < 0 ? EAD_BAD_FILE : EAD_OK;
}

static EadStatus read_image_size(const EadSafetensors *file, int *height, int *width) {
    const char *value = ead_safetensors_metadata(file, "image_size");
    int used = 0;
    if (value && sscanf(value, "%4dx%4d%n", height, width, &used) == 2 && value[used] == '\0') return EAD_OK;
    used = 0;
    if (value && sscanf(value, "%4d%n", height, &used) == 1 && value[used] == '\0') {
        *width = *height;
        return EAD_OK;
    }
    return bad_metadata(file, "image_size", value, "a number or HEIGHTxWIDTH");
}

static EadStatus check_format(const EadSafetensors *file) {
    const char *format = ead_safetensors_metadata(file, "format");
    return format && strcmp(format, "efficientad/1") == 0
               ? EAD_OK
               : bad_metadata(file, "format", format, "efficientad/1");
}

static EadStatus read_spec(const EadSafetensors *file, EadModelSpec *spec) {
    EAD_TRY(check_format(file));
    EAD_TRY(read_size(file, &spec->size));
    int padding = read_choice(file, "padding", (const char *const[]){"false", "true", NULL}, "true or false");
    if (padding < 0) return EAD_BAD_FILE;
    spec->padding = padding == 1;
    EAD_TRY(read_image_size(file, &spec->height, &spec->width));
    EadStatus status = ead_model_check_image_size(spec->height, spec->width);
    if (status != EAD_OK) return ead_fail_prefix(EAD_BAD_FILE, "%s: ", ead_safetensors_path(file));
    spec->autoencoder = ead_safetensors_find(file, "autoencoder.enc_conv1.weight") != NULL;
    return EAD_OK;
}

static EadStatus read_teacher_statistics(const EadSafetensors *file, EadModel *model) {
    double mean[EAD_FEATURES], std[EAD_FEATURES];
    EAD_TRY(ead_vector_read(file, "teacher_mean", EAD_FEATURES, mean));
    EAD_TRY(ead_vector_read(file, "teacher_std", EAD_FEATURES, std));
    for (int c = 0; c < EAD_FEATURES; c++)
        if (!(std[c] > 0))
            return ead_fail(EAD_BAD_FILE, "%s: teacher_std[%d] is %g, must be positive; %s",
                            ead_safetensors_path(file), c, std[c], EAD_MODEL_FILE_HINT);
    ead_model_set_teacher_statistics(model, mean, std);
    return EAD_OK;
}

static EadStatus read_map_statistics(const EadSafetensors *file, EadModel *model) {
    const char *const names[] = {"quantile", "gaussian", "none", NULL};
    int normalization = read_choice(file, "map_normalization", names, "quantile, gaussian or none");
    double statistics[EAD_MAP_COUNT][2] = {{0}};
    if (normalization < 0) return EAD_BAD_FILE;
    if (normalization != EAD_MAPS_NONE) {
        const char *tensor = normalization == EAD_MAPS_QUANTILE ? "quantiles" : "gaussian";
        EAD_TRY(ead_vector_read(file, tensor, 2 * EAD_MAP_COUNT, &statistics[0][0]));
    }
    EadStatus status = ead_model_set_map_statistics(model, (EadMapNormalization)normalization, statistics);
    return status == EAD_OK ? EAD_OK : ead_fail_prefix(EAD_BAD_FILE, "%s: ", ead_safetensors_path(file));
}

static EadStatus read_map_use(const EadSafetensors *file, EadModel *model) {
    if (!ead_safetensors_metadata(file, "map_use")) return EAD_OK;
    int use = read_choice(file, "map_use", (const char *const[]){"both", "st", "ae", NULL}, "both, st or ae");
    if (use < 0) return EAD_BAD_FILE;
    EadStatus status = ead_model_use_maps(model, (EadMapUse)use);
    return status == EAD_OK ? EAD_OK : ead_fail_prefix(EAD_BAD_FILE, "%s: ", ead_safetensors_path(file));
}

static EadStatus read_threshold(const EadSafetensors *file, EadModel *model) {
    const char *text = ead_safetensors_metadata(file, "threshold");
    if (!text) return EAD_OK;
    char *end;
    model->threshold = strtof(text, &end);
    bool valid = end != text && *end == '\0' && isfinite(model->threshold);
    return valid ? EAD_OK : bad_metadata(file, "threshold", text, "a number");
}

static EadStatus read_all(const EadSafetensors *file, EadModel *model) {
    EAD_TRY(ead_params_read_all(file, &model->teacher));
    EAD_TRY(ead_params_read_all(file, &model->trained));
    EAD_TRY(read_teacher_statistics(file, model));
    EAD_TRY(read_map_statistics(file, model));
    EAD_TRY(read_map_use(file, model));
    return read_threshold(file, model);
}

EadStatus ead_model_read(const EadSafetensors *file, EadModel **out) {
    EadModelSpec spec;
    EAD_TRY(read_spec(file, &spec));
    EadModel *model;
    EAD_TRY(ead_model_new(&spec, &model));
    EadStatus status = read_all(file, model);
    if (status == EAD_OK)
        *out = model;
    else
        ead_model_free(model);
    return status;
}

EadStatus ead_model_open(const char *path, EadModel **out) {
    EadSafetensors *file;
    EAD_TRY(ead_safetensors_open(path, &file));
    EadStatus status = ead_model_read(file, out);
    ead_safetensors_close(file);
    return status;
}

static EadStatus read_part(EadModel *model, const char *path, EadParams *params) {
    EadSafetensors *file;
    EAD_TRY(ead_safetensors_open(path, &file));
    EadPdnSize size;
    EadStatus status = check_format(file);
    if (status == EAD_OK) status = read_size(file, &size);
    if (status == EAD_OK && size != model->spec.size)
        status = ead_fail(EAD_BAD_FILE, "%s: holds a %s network, the configuration asks for model.size %s",
                          path, size == EAD_PDN_SMALL ? "small" : "medium",
                          model->spec.size == EAD_PDN_SMALL ? "small" : "medium");
    if (status == EAD_OK) status = ead_params_read_all(file, params);
    ead_safetensors_close(file);
    return status;
}

EadStatus ead_model_read_teacher(EadModel *model, const char *path) {
    return read_part(model, path, &model->teacher);
}
EadStatus ead_model_read_trained(EadModel *model, const char *path) {
    return read_part(model, path, &model->trained);
}
