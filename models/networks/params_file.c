/* Parameters from and to files. Nothing in a file is believed before it is checked. */
#include "models/networks/params_file.h"

#include "core/base/half.h"
#include "core/base/printing.h"
#include "core/base/text.h"
#include "core/system/machine.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

EadStatus ead_params_check_room(int64_t numbers) {
    double bytes = (double)numbers * (double)sizeof(real), there = (double)ead_machine_available();
    if (bytes <= there) return EAD_OK;
    return ead_fail(EAD_NO_MEMORY, "its weights take %.0f MB, where %.0f MB are free", 1e-6 * bytes,
                    1e-6 * there);
}

static EadStatus find_tensor(const EadSafetensors *file, const char *name, const EadFileTensor **out) {
    *out = ead_safetensors_find(file, name);
    if (*out) return EAD_OK;
    return ead_fail(EAD_BAD_FILE, "%s: tensor '%s' is missing; %s", ead_safetensors_path(file), name,
                    EAD_MODEL_FILE_HINT);
}

static bool is_bias(const EadParam *param) {
    return param->n == 1 && param->h == 1 && param->w == 1;
}

static EadStatus check_shape(const EadSafetensors *file, const EadFileTensor *tensor, const EadParam *param) {
    const int64_t weight[4] = {param->n, param->c, param->h, param->w}, bias[1] = {param->c};
    int dims = is_bias(param) && tensor->dims == 1 ? 1 : 4;
    const int64_t *expected = dims == 1 ? bias : weight;
    bool same = tensor->dims == dims && memcmp(tensor->shape, expected, (size_t)dims * sizeof *expected) == 0;
    if (same) return EAD_OK;
    char shape[128];
    size_t used = (size_t)snprintf(shape, sizeof shape, "[");
    for (int d = 0; d < tensor->dims && used < sizeof shape; d++)
        used += (size_t)snprintf(shape + used, sizeof shape - used, d ? ",%lld" : "%lld",
                                 (long long)tensor->shape[d]);
    if (used < sizeof shape) snprintf(shape + used, sizeof shape - used, "]");
    if (is_bias(param))
        return ead_fail(EAD_BAD_FILE, "%s: tensor '%s' has shape %s, this model needs [%d]; %s",
                        ead_safetensors_path(file), tensor->name, shape, param->c, EAD_MODEL_FILE_HINT);
    return ead_fail(EAD_BAD_FILE, "%s: tensor '%s' has shape %s, this model needs [%d,%d,%d,%d]; %s",
                    ead_safetensors_path(file), tensor->name, shape, param->n, param->c, param->h, param->w,
                    EAD_MODEL_FILE_HINT);
}

/* O,I,KH,KW of files to O,KH,KW,I of memory: a transposition for each output channel. */
static void oihw_to_ohwi(const EadParam *p, const real *from, real *to) {
    int area = p->h * p->w;
    for (int o = 0; o < p->n; o++, from += (int64_t)area * p->c)
        for (int k = 0; k < area; k++)
            for (int i = 0; i < p->c; i++) *to++ = from[(int64_t)i * area + k];
}

static EadStatus read_as(const EadSafetensors *file, const char *name, EadParams *params,
                         const EadParam *param) {
    const EadFileTensor *tensor;
    EAD_TRY(find_tensor(file, name, &tensor));
    EAD_TRY(check_shape(file, tensor, param));
    real *values = malloc((size_t)tensor->count * sizeof *values);
    if (!values) return ead_fail(EAD_NO_MEMORY, "%s: no memory to read it", ead_safetensors_path(file));
    EadStatus status = ead_file_tensor_to_real(file, tensor, values);
    if (status == EAD_OK) oihw_to_ohwi(param, values, params->values + param->offset);
    free(values);
    return status;
}

EadStatus ead_params_read(const EadSafetensors *file, EadParams *params, const EadParam *param) {
    return read_as(file, param->name, params, param);
}

EadStatus ead_params_check_all(const EadSafetensors *file, const EadParams *params) {
    const EadFileTensor *tensor;
    for (int i = 0; i < params->count; i++) {
        EAD_TRY(find_tensor(file, params->items[i].name, &tensor));
        EAD_TRY(check_shape(file, tensor, &params->items[i]));
        EAD_TRY(ead_file_tensor_check_float(file, tensor));
    }
    return EAD_OK;
}

EadStatus ead_params_read_all(const EadSafetensors *file, EadParams *params) {
    for (int i = 0; i < params->count; i++) EAD_TRY(ead_params_read(file, params, &params->items[i]));
    return EAD_OK;
}

static void part_name(const char *prefix, const EadParam *param, char out[2 * EAD_NAME_SIZE]) {
    snprintf(out, 2 * EAD_NAME_SIZE, "%s%s%s", prefix, *prefix ? "." : "", param->name);
}

EadStatus ead_params_read_part(const EadSafetensors *file, const char *prefix, EadParams *params) {
    char name[2 * EAD_NAME_SIZE];
    for (int i = 0; i < params->count; i++) {
        part_name(prefix, &params->items[i], name);
        EAD_TRY(read_as(file, name, params, &params->items[i]));
    }
    return EAD_OK;
}

EadStatus ead_vector_read(const EadSafetensors *file, const char *name, int count, double *out) {
    const EadFileTensor *tensor;
    EAD_TRY(find_tensor(file, name, &tensor));
    if (tensor->count != count)
        return ead_fail(EAD_BAD_FILE, "%s: tensor '%s' has %lld elements, expected %d; %s",
                        ead_safetensors_path(file), name, (long long)tensor->count, count,
                        EAD_MODEL_FILE_HINT);
    return ead_file_tensor_to_double(file, tensor, out);
}

EadStatus ead_statistics_read(const EadSafetensors *file, const char *mean_name, const char *std_name,
                              int count, double *mean, double *std) {
    EAD_TRY(ead_vector_read(file, mean_name, count, mean));
    EAD_TRY(ead_vector_read(file, std_name, count, std));
    for (int c = 0; c < count; c++)
        if (!(std[c] > 0))
            return ead_fail(EAD_BAD_FILE, "%s: %s[%d] is %g, must be positive; %s",
                            ead_safetensors_path(file), std_name, c, std[c], EAD_MODEL_FILE_HINT);
    return EAD_OK;
}

EadStatus ead_check_all_used(const EadSafetensors *file, const char *others, const char *network) {
    static const char counter[] = "num_batches_tracked";
    const char *first = NULL;
    char have[32] = "has";
    int count = 0;
    for (int i = 0; i < ead_safetensors_count(file); i++) {
        const char *name = ead_safetensors_at(file, i)->name;
        if (ead_safetensors_was_found(file, i) || ead_begins_like_one(name, others) || strstr(name, counter))
            continue;
        if (count++ == 0) first = name;
    }
    if (count == 0) return EAD_OK;
    if (count > 1) snprintf(have, sizeof have, "and %d more have", count - 1);
    return ead_fail(EAD_BAD_FILE, "%s: tensor '%s' %s no place in %s; %s", ead_safetensors_path(file), first,
                    have, network, EAD_MODEL_FILE_HINT);
}

/* ---- writing ---- */

/* O,KH,KW,I of memory to O,I,KH,KW of files. */
static void ohwi_to_oihw(const EadParam *p, const real *from, float *to) {
    for (int o = 0; o < p->n; o++)
        for (int i = 0; i < p->c; i++)
            for (int y = 0; y < p->h; y++)
                for (int x = 0; x < p->w; x++)
                    *to++ = (float)from[(((int64_t)o * p->h + y) * p->w + x) * p->c + i];
}

/* Values in half precision, in the place of the floats that they are read from. */
static void narrow(float *values, int64_t count) {
    for (int64_t i = 0; i < count; i++) {
        uint16_t half = ead_half_from_float(values[i]);
        memcpy((char *)values + (size_t)i * sizeof half, &half, sizeof half);
    }
}

EadStatus ead_params_write(EadSafetensorsWriter *writer, const EadParams *params, EadFileType weights) {
    return ead_params_write_part(writer, "", params, weights);
}

EadStatus ead_params_write_part(EadSafetensorsWriter *writer, const char *prefix, const EadParams *params,
                                EadFileType weights) {
    float *copies = ead_safetensors_writer_memory(writer, (size_t)params->total * sizeof *copies);
    if (!copies) return EAD_NO_MEMORY;
    for (int k = 0; k < params->count; k++) {
        const EadParam *p = &params->items[k];
        const int64_t weight[4] = {p->n, p->c, p->h, p->w}, bias[1] = {p->c};
        bool vector = is_bias(p), half = !vector && weights == EAD_FILE_F16;
        float *copy = copies + p->offset;
        char name[2 * EAD_NAME_SIZE];
        part_name(prefix, p, name);
        ohwi_to_oihw(p, params->values + p->offset, copy);
        if (half) narrow(copy, (int64_t)p->n * p->h * p->w * p->c);
        EAD_TRY(ead_safetensors_writer_tensor(writer, name, half ? EAD_FILE_F16 : EAD_FILE_F32,
                                              vector ? 1 : 4, vector ? bias : weight, copy));
    }
    return EAD_OK;
}

void ead_params_round(EadParams *params, EadFileType weights) {
    for (int k = 0; k < params->count && weights == EAD_FILE_F16; k++) {
        const EadParam *p = &params->items[k];
        real *values = params->values + p->offset;
        int64_t count = (int64_t)p->n * p->h * p->w * p->c;
        for (int64_t i = 0; i < count && !is_bias(p); i++)
            values[i] = (real)ead_half_to_float(ead_half_from_float((float)values[i]));
    }
}

EadStatus ead_vector_write(EadSafetensorsWriter *writer, const char *name, int count, const real *values) {
    const int64_t shape[1] = {count};
    float *copy = ead_safetensors_writer_memory(writer, (size_t)count * sizeof *copy);
    if (!copy) return EAD_NO_MEMORY;
    for (int i = 0; i < count; i++) copy[i] = (float)values[i];
    return ead_safetensors_writer_tensor(writer, name, EAD_FILE_F32, 1, shape, copy);
}

/* ---- metadata ---- */

EadStatus ead_made_of_file(const EadSafetensors *file, EadStatus status) {
    if (status == EAD_OK) return EAD_OK;
    return ead_fail_prefix(status == EAD_NO_MEMORY ? status : EAD_BAD_FILE,
                           "%s: ", ead_safetensors_path(file));
}

EadStatus ead_bad_metadata(const EadSafetensors *file, const char *key, const char *value,
                           const char *expected) {
    return ead_fail(EAD_BAD_FILE, "%s: metadata '%s' is '%s', expected %s; %s", ead_safetensors_path(file),
                    key, value ? value : "(missing)", expected, EAD_MODEL_FILE_HINT);
}

EadStatus ead_metadata_choice(const EadSafetensors *file, const char *key, const char *const *choices,
                              const char *all, int *out) {
    const char *value = ead_safetensors_metadata(file, key);
    for (int i = 0; value && choices[i]; i++) {
        *out = i;
        if (strcmp(value, choices[i]) == 0) return EAD_OK;
    }
    return ead_bad_metadata(file, key, value, all);
}

EadStatus ead_metadata_number_write(EadSafetensorsWriter *writer, const char *key, double value) {
    char text[EAD_NUMBER_TEXT];
    return ead_safetensors_writer_metadata(writer, key, ead_double_text(value, text));
}

EadStatus ead_metadata_number(const EadSafetensors *file, const char *key, double least, double most,
                              double *out) {
    const char *text = ead_safetensors_metadata(file, key);
    char *end = NULL, expected[64];
    *out = text ? strtod(text, &end) : (double)NAN;
    if (text && end != text && *end == '\0' && *out >= least && *out <= most) return EAD_OK;
    snprintf(expected, sizeof expected, "a number from %g to %g", least, most);
    return ead_bad_metadata(file, key, text, expected);
}

EadStatus ead_metadata_count(const EadSafetensors *file, const char *key, double least, double most,
                             int64_t *out) {
    double number;
    EAD_TRY(ead_metadata_number(file, key, least, most, &number));
    *out = (int64_t)number;
    if ((double)*out == number) return EAD_OK;
    return ead_bad_metadata(file, key, ead_safetensors_metadata(file, key), "a whole number");
}

EadStatus ead_check_format(const EadSafetensors *file) {
    int format;
    return ead_metadata_choice(file, "format", (const char *const[]){"efficientad/1", NULL}, "efficientad/1",
                               &format);
}

EadStatus ead_image_size_read(const EadSafetensors *file, int *height, int *width) {
    const char *value = ead_safetensors_metadata(file, "image_size");
    int used = 0;
    if (value && sscanf(value, "%4dx%4d%n", height, width, &used) == 2 && value[used] == '\0') return EAD_OK;
    used = 0;
    if (value && sscanf(value, "%4d%n", height, &used) == 1 && value[used] == '\0') {
        *width = *height;
        return EAD_OK;
    }
    return ead_bad_metadata(file, "image_size", value, "a number or HEIGHTxWIDTH");
}

void ead_format_image_size(int height, int width, char out[24]) {
    if (height == width)
        snprintf(out, 24, "%d", height);
    else
        snprintf(out, 24, "%dx%d", height, width);
}

EadStatus ead_image_size_write(EadSafetensorsWriter *writer, int height, int width) {
    char size[24];
    ead_format_image_size(height, width, size);
    EAD_TRY(ead_safetensors_writer_metadata(writer, "format", "efficientad/1"));
    return ead_safetensors_writer_metadata(writer, "image_size", size);
}
