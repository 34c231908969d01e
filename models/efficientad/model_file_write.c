/* Writing of model files. */
#include "models/efficientad/model_file.h"

#include "core/base/half.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void ead_format_image_size(int height, int width, char out[24]) {
    if (height == width)
        snprintf(out, 24, "%d", height);
    else
        snprintf(out, 24, "%dx%d", height, width);
}

/* A file being written, and the copies in file order that it borrows. */
typedef struct Output {
    EadSafetensorsWriter *writer;
    float *copies;
    float teacher_mean[EAD_FEATURES], teacher_std[EAD_FEATURES];
    float map_statistics[2 * EAD_MAP_COUNT];
} Output;

/* O,KH,KW,I of memory to O,I,KH,KW of files. */
static void ohwi_to_oihw(const EadParam *p, const real *from, float *to) {
    for (int o = 0; o < p->n; o++)
        for (int i = 0; i < p->c; i++)
            for (int y = 0; y < p->h; y++)
                for (int x = 0; x < p->w; x++)
                    *to++ = (float)from[(((int64_t)o * p->h + y) * p->w + x) * p->c + i];
}

static bool is_bias(const EadParam *p) {
    return p->n == 1 && p->h == 1 && p->w == 1;
}

/* Weights in half precision, in the place of the floats that they are read from. */
static void narrow(const EadParam *p, float *copy) {
    int64_t count = (int64_t)p->n * p->h * p->w * p->c;
    for (int64_t i = 0; i < count; i++) {
        uint16_t half = ead_half_from_float(copy[i]);
        memcpy((char *)copy + (size_t)i * sizeof half, &half, sizeof half);
    }
}

/* weights: the type they are stored in, F32 or F16; biases are F32 always. */
static EadStatus add_params(Output *output, const EadParams *params, EadFileType weights, float *copies) {
    for (int k = 0; k < params->count; k++) {
        const EadParam *p = &params->items[k];
        const int64_t weight[4] = {p->n, p->c, p->h, p->w}, bias[1] = {p->c};
        bool vector = is_bias(p), half = !vector && weights == EAD_FILE_F16;
        float *copy = copies + p->offset;
        ohwi_to_oihw(p, params->values + p->offset, copy);
        if (half) narrow(p, copy);
        EAD_TRY(ead_safetensors_writer_tensor(output->writer, p->name, half ? EAD_FILE_F16 : EAD_FILE_F32,
                                              vector ? 1 : 4, vector ? bias : weight, copy));
    }
    return EAD_OK;
}

static EadStatus add_vector(Output *output, const char *name, int count, const float *values) {
    const int64_t shape[1] = {count};
    return ead_safetensors_writer_tensor(output->writer, name, EAD_FILE_F32, 1, shape, values);
}

static EadStatus add_statistics(Output *output, const EadModel *model) {
    for (int c = 0; c < EAD_FEATURES; c++) {
        output->teacher_mean[c] = (float)model->teacher_mean[c];
        output->teacher_std[c] = (float)model->teacher_std[c];
    }
    for (int m = 0; m < 2 * EAD_MAP_COUNT; m++)
        output->map_statistics[m] = (float)model->map_statistics[m / 2][m % 2];
    EAD_TRY(add_vector(output, "teacher_mean", EAD_FEATURES, output->teacher_mean));
    EAD_TRY(add_vector(output, "teacher_std", EAD_FEATURES, output->teacher_std));
    if (model->normalization == EAD_MAPS_NONE) return EAD_OK;
    const char *name = model->normalization == EAD_MAPS_QUANTILE ? "quantiles" : "gaussian";
    return add_vector(output, name, 2 * EAD_MAP_COUNT, output->map_statistics);
}

static EadStatus add_strings(Output *output, const EadFileMetadata *metadata, int count) {
    for (int i = 0; i < count; i++)
        EAD_TRY(ead_safetensors_writer_metadata(output->writer, metadata[i].key, metadata[i].value));
    return EAD_OK;
}

/* What a teacher alone has too. */
static EadStatus add_spec(Output *output, EadPdnSize pdn_size, bool padding, int height, int width) {
    char size[24], preprocessing[160];
    ead_format_image_size(height, width, size);
    snprintf(preprocessing, sizeof preprocessing,
             "RGB, antialiased bilinear resize to %dx%d, (x/255 - mean) / std, mean .485 .456 .406, std .229 "
             ".224 .225",
             height, width);
    const EadFileMetadata metadata[] = {{"format", "efficientad/1"},
                                        {"model", pdn_size == EAD_PDN_SMALL ? "small" : "medium"},
                                        {"padding", padding ? "true" : "false"},
                                        {"image_size", size},
                                        {"preprocessing", preprocessing}};
    return add_strings(output, metadata, (int)(sizeof metadata / sizeof *metadata));
}

static EadStatus add_metadata(Output *output, const EadModel *model) {
    const EadModelSpec *spec = &model->spec;
    char threshold[32];
    EAD_TRY(add_spec(output, spec->size, spec->padding, spec->height, spec->width));
    snprintf(threshold, sizeof threshold, "%.9g", (double)model->threshold);
    const EadFileMetadata metadata[] = {
        {"map_normalization", ead_map_normalization_name(model->normalization)},
        {"map_use", ead_map_use_name(model->use)},
        {"threshold", threshold}};
    return add_strings(output, metadata, isnan(model->threshold) ? 2 : 3);
}

static EadStatus add_extras(Output *output, const EadFileExtras *extras) {
    EAD_TRY(add_strings(output, extras->metadata, extras->metadata_count));
    for (int i = 0; i < extras->array_count; i++) {
        const EadFileArray *array = &extras->arrays[i];
        EAD_TRY(ead_safetensors_writer_tensor(output->writer, array->name, array->type, 1, &array->count,
                                              array->data));
    }
    return EAD_OK;
}

static EadStatus save(Output *output, const EadModel *model, const char *path, const EadFileExtras *extras) {
    output->copies = malloc((size_t)(model->teacher.total + model->trained.total) * sizeof(float));
    if (!output->copies) return ead_fail(EAD_NO_MEMORY, "%s: no memory to write it", path);
    EAD_TRY(ead_safetensors_writer_new(&output->writer));
    EAD_TRY(add_metadata(output, model));
    EAD_TRY(add_params(output, &model->teacher, EAD_FILE_F32, output->copies));
    EAD_TRY(add_params(output, &model->trained, EAD_FILE_F32, output->copies + model->teacher.total));
    EAD_TRY(add_statistics(output, model));
    if (extras) EAD_TRY(add_extras(output, extras));
    return ead_safetensors_writer_write(output->writer, path);
}

static EadStatus save_teacher(Output *output, const EadTeacherFile *teacher, const char *path,
                              const EadFileExtras *extras) {
    const EadParams *params = teacher->pdn.params;
    output->copies = malloc((size_t)params->total * sizeof(float));
    if (!output->copies) return ead_fail(EAD_NO_MEMORY, "%s: no memory to write it", path);
    EAD_TRY(ead_safetensors_writer_new(&output->writer));
    EAD_TRY(add_spec(output, teacher->pdn.size, teacher->pdn.padding, teacher->height, teacher->width));
    EAD_TRY(add_params(output, params, teacher->weights, output->copies));
    if (extras) EAD_TRY(add_extras(output, extras));
    return ead_safetensors_writer_write(output->writer, path);
}

/* Exactly one of the two is given. */
static EadStatus save_either(const EadModel *model, const EadTeacherFile *teacher, const char *path,
                             const EadFileExtras *extras) {
    Output *output = calloc(1, sizeof *output);
    if (!output) return ead_fail(EAD_NO_MEMORY, "%s: no memory to write it", path);
    EadStatus status =
        model ? save(output, model, path, extras) : save_teacher(output, teacher, path, extras);
    ead_safetensors_writer_free(output->writer);
    free(output->copies);
    free(output);
    return status;
}

EadStatus ead_model_save(const EadModel *model, const char *path, const EadFileExtras *extras) {
    return save_either(model, NULL, path, extras);
}

EadStatus ead_teacher_save(const EadTeacherFile *teacher, const char *path, const EadFileExtras *extras) {
    return save_either(NULL, teacher, path, extras);
}
