/* Tensors into parameters. Nothing in the file is believed before it is checked. */
#include "models/networks/params_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static EadStatus find_tensor(const EadSafetensors *file, const char *name, const EadFileTensor **out) {
    *out = ead_safetensors_find(file, name);
    if (*out) return EAD_OK;
    return ead_fail(EAD_BAD_FILE, "%s: tensor '%s' is missing; %s", ead_safetensors_path(file), name,
                    EAD_MODEL_FILE_HINT);
}

static void print_shape(const EadFileTensor *tensor, char *out, size_t size) {
    size_t used = (size_t)snprintf(out, size, "[");
    for (int d = 0; d < tensor->dims && used < size; d++)
        used += (size_t)snprintf(out + used, size - used, d ? ",%lld" : "%lld", (long long)tensor->shape[d]);
    if (used < size) snprintf(out + used, size - used, "]");
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
    print_shape(tensor, shape, sizeof shape);
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

EadStatus ead_params_read(const EadSafetensors *file, EadParams *params, const EadParam *param) {
    const EadFileTensor *tensor;
    EAD_TRY(find_tensor(file, param->name, &tensor));
    EAD_TRY(check_shape(file, tensor, param));
    real *values = malloc((size_t)tensor->count * sizeof *values);
    if (!values) return ead_fail(EAD_NO_MEMORY, "%s: no memory to read it", ead_safetensors_path(file));
    EadStatus status = ead_file_tensor_to_real(file, tensor, values);
    if (status == EAD_OK) oihw_to_ohwi(param, values, params->values + param->offset);
    free(values);
    return status;
}

EadStatus ead_params_read_all(const EadSafetensors *file, EadParams *params) {
    for (int i = 0; i < params->count; i++) EAD_TRY(ead_params_read(file, params, &params->items[i]));
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
