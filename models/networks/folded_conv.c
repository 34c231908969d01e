/* Folding of batch norm, in double, and its running statistics. */
#include "models/networks/folded_conv.h"

#include "models/networks/params_file.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void ead_layer_name(const EadParam *param, char out[EAD_NAME_SIZE]) {
    snprintf(out, EAD_NAME_SIZE, "%.*s", (int)(strrchr(param->name, '.') - param->name), param->name);
}

static const char *part_of(const char *norm, const char *part, char out[2 * EAD_NAME_SIZE]) {
    snprintf(out, 2 * EAD_NAME_SIZE, "%s.%s", norm, part);
    return out;
}

static bool has_statistics(const EadSafetensors *file, const char *norm) {
    char name[2 * EAD_NAME_SIZE];
    return ead_safetensors_find(file, part_of(norm, "running_var", name)) != NULL;
}

/* Reads a batch norm as y = x scale + shift; scale [4 channels] has room for shift and more behind it. */
static EadStatus read_norm(const EadSafetensors *file, const char *norm, int channels, double epsilon,
                           double *scale) {
    static const char *const parts[] = {"weight", "bias", "running_mean", "running_var"};
    double *shift = scale + channels, *mean = shift + channels, *variance = mean + channels;
    char name[2 * EAD_NAME_SIZE];
    for (int i = 0; i < 4; i++)
        EAD_TRY(
            ead_vector_read(file, part_of(norm, parts[i], name), channels, scale + (int64_t)i * channels));
    for (int c = 0; c < channels; c++) {
        if (!(variance[c] >= 0))
            return ead_fail(EAD_BAD_FILE, "%s: %s: the running variance of channel %d is %g; %s",
                            ead_safetensors_path(file), norm, c, variance[c], EAD_MODEL_FILE_HINT);
        scale[c] /= sqrt(variance[c] + epsilon);
        shift[c] -= mean[c] * scale[c];
    }
    return EAD_OK;
}

/* weight *= scale, bias = bias * scale + shift, for each of the weight's outputs. */
static EadStatus fold(const EadSafetensors *file, const char *norm, double epsilon, int channels,
                      int64_t size, real *weight, real *bias) {
    double *scale = malloc(4 * (size_t)channels * sizeof *scale);
    if (!scale) return ead_fail(EAD_NO_MEMORY, "%s: no memory to read it", ead_safetensors_path(file));
    EadStatus status = read_norm(file, norm, channels, epsilon, scale);
    for (int o = 0; o < channels && status == EAD_OK; o++, weight += size) {
        for (int64_t i = 0; i < size; i++) weight[i] = (real)((double)weight[i] * scale[o]);
        bias[o] = (real)((double)bias[o] * scale[o] + scale[channels + o]);
    }
    free(scale);
    return status;
}

EadStatus ead_folded_conv_read(const EadSafetensors *file, EadParams *params, const EadParam *weight,
                               const char *norm, double epsilon) {
    const EadParam *bias = weight + 1;
    bool normalised = has_statistics(file, norm);
    EAD_TRY(ead_params_read(file, params, weight));
    if (!normalised || ead_safetensors_find(file, bias->name)) EAD_TRY(ead_params_read(file, params, bias));
    if (!normalised) return EAD_OK;
    return fold(file, norm, epsilon, weight->n, (int64_t)weight->h * weight->w * weight->c,
                params->values + weight->offset, params->values + bias->offset);
}

EadStatus ead_folded_norm_declare(EadParams *params, const char *prefix, int channels) {
    char name[2 * EAD_NAME_SIZE];
    EAD_TRY(ead_params_declare(params, part_of(prefix, "weight", name), 1, 1, 1, channels, channels));
    return ead_params_declare(params, part_of(prefix, "bias", name), 1, 1, 1, channels, channels);
}

EadStatus ead_folded_norm_read(const EadSafetensors *file, EadParams *params, const EadParam *weight,
                               double epsilon) {
    const EadParam *bias = weight + 1;
    char norm[EAD_NAME_SIZE];
    real *scale = params->values + weight->offset, *shift = params->values + bias->offset;
    ead_layer_name(weight, norm);
    if (!has_statistics(file, norm)) {
        EAD_TRY(ead_params_read(file, params, weight));
        return ead_params_read(file, params, bias);
    }
    for (int c = 0; c < weight->c; c++) scale[c] = 1, shift[c] = 0;
    return fold(file, norm, epsilon, weight->c, 1, scale, shift);
}

/* ---- running statistics ---- */

static const char *const running_parts[] = {"running_mean", "running_var"};

EadStatus ead_running_read(const EadSafetensors *file, const char *prefix, int channels, real *running) {
    double *values = malloc((size_t)channels * sizeof *values);
    char name[2 * EAD_NAME_SIZE];
    if (!values) return ead_fail(EAD_NO_MEMORY, "%s: no memory to read it", ead_safetensors_path(file));
    EadStatus status = EAD_OK;
    for (int k = 0; k < 2 && status == EAD_OK; k++) {
        status = ead_vector_read(file, part_of(prefix, running_parts[k], name), channels, values);
        for (int c = 0; c < channels && status == EAD_OK; c++) {
            if (k == 1 && values[c] < 0)
                status = ead_fail(EAD_BAD_FILE, "%s: tensor '%s' holds a variance of %g; %s",
                                  ead_safetensors_path(file), name, values[c], EAD_MODEL_FILE_HINT);
            running[k * channels + c] = (real)values[c];
        }
    }
    free(values);
    return status;
}

EadStatus ead_running_write(EadSafetensorsWriter *writer, const char *prefix, int channels,
                            const real *running) {
    char name[2 * EAD_NAME_SIZE];
    for (int k = 0; k < 2; k++)
        EAD_TRY(ead_vector_write(writer, part_of(prefix, running_parts[k], name), channels,
                                 running + (int64_t)k * channels));
    return EAD_OK;
}

void ead_running_merge(const EadParams *params, const char *prefix, const real *running, double epsilon,
                       real *merged) {
    char name[2 * EAD_NAME_SIZE];
    const EadParam *weight = ead_params_find(params, part_of(prefix, "weight", name));
    const EadParam *bias = ead_params_find(params, part_of(prefix, "bias", name));
    int channels = weight->c;
    for (int c = 0; c < channels; c++) {
        double scale =
            (double)params->values[weight->offset + c] / sqrt((double)running[channels + c] + epsilon);
        merged[c] = (real)scale;
        merged[channels + c] = (real)((double)params->values[bias->offset + c] - scale * (double)running[c]);
    }
}
