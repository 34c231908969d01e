/* Declaration, initialisation and leaves of parameters. */
#include "core/graph/params.h"

#include "core/base/memory.h"
#include "core/base/philox.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ALIGNMENT = 16 }; /* elements: every parameter starts on a cache line of its own */

int64_t ead_param_size(const EadParam *param) {
    return (int64_t)param->n * param->h * param->w * param->c;
}

static EadStatus declare(EadParams *params, const EadParam *param) {
    EAD_TRY(ead_grow(&params->items, &params->capacity, params->count, sizeof *params->items, "parameters"));
    EadParam *added = &params->items[params->count++];
    *added = *param;
    added->offset = params->total;
    params->total += (ead_param_size(param) + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    return EAD_OK;
}

EadStatus ead_params_declare(EadParams *params, const char *name, int n, int h, int w, int c, int fan_in) {
    EadParam param = {.n = n, .h = h, .w = w, .c = c, .fan_in = fan_in};
    snprintf(param.name, sizeof param.name, "%s", name);
    return declare(params, &param);
}

EadStatus ead_params_declare_conv(EadParams *params, const char *prefix, int out, int height, int width,
                                  int in) {
    int fan_in = height * width * in;
    EadParam weight = {.n = out, .h = height, .w = width, .c = in, .fan_in = fan_in};
    EadParam bias = {.n = 1, .h = 1, .w = 1, .c = out, .fan_in = fan_in};
    snprintf(weight.name, sizeof weight.name, "%s.weight", prefix);
    snprintf(bias.name, sizeof bias.name, "%s.bias", prefix);
    EAD_TRY(declare(params, &weight));
    return declare(params, &bias);
}

EadStatus ead_params_allocate(EadParams *params) {
    size_t bytes = (size_t)params->total * sizeof(real);
    params->values = ead_new_large(bytes);
    if (params->values) return EAD_OK;
    return ead_fail(EAD_NO_MEMORY, "no memory for %.1f MB of parameters", (double)bytes * 1e-6);
}

void ead_params_free(EadParams *params) {
    free(params->items);
    free(params->values);
    *params = (EadParams){0};
}

void ead_params_initialize(EadParams *params, uint64_t seed) {
    for (int k = 0; k < params->count; k++) {
        const EadParam *param = &params->items[k];
        uint64_t stream = EAD_STREAM_PARAMETERS + ead_hash_name(param->name);
        double root = sqrt((double)param->fan_in);
        real *values = params->values + param->offset;
        uint32_t block[4];
        for (int64_t i = 0; i < ead_param_size(param); i++) {
            if (i % 4 == 0) ead_philox(seed, stream, (uint64_t)i / 4, block);
            double uniform = (double)ead_uniform(block[i % 4]);
            values[i] = (real)(float)((2 * uniform - 1) / root); /* the same numbers in the double build */
        }
    }
}

bool ead_params_copy(EadParams *to, const EadParams *from) {
    if (to->total != from->total) return false;
    memcpy(to->values, from->values, (size_t)to->total * sizeof *to->values);
    return true;
}

void ead_params_set(EadParams *params, const char *name, double value) {
    const EadParam *param = ead_params_find(params, name);
    for (int64_t i = 0; i < ead_param_size(param); i++) params->values[param->offset + i] = (real)value;
}

/* The first uniform number is in (0,1]. */
static double draw_normal(uint64_t seed, uint64_t stream, uint64_t index) {
    double radius =
        sqrt(-2 * log((double)ead_uniform(ead_philox_word(seed, stream, index & ~UINT64_C(1))) + 0x1p-24));
    double turn = 6.283185307179586 * (double)ead_uniform(ead_philox_word(seed, stream, index | 1));
    return radius * (index & 1 ? sin(turn) : cos(turn));
}

void ead_params_draw_xavier(EadParams *params, const char *name, uint64_t seed) {
    const EadParam *param = ead_params_find(params, name);
    ead_params_draw_normal(params, name, sqrt(2.0 / (param->fan_in + param->n * param->h * param->w)), seed);
}

void ead_params_draw_normal(EadParams *params, const char *name, double deviation, uint64_t seed) {
    const EadParam *param = ead_params_find(params, name);
    uint64_t stream = EAD_STREAM_PARAMETERS + ead_hash_name(name);
    real *values = params->values + param->offset;
#pragma omp parallel for schedule(static)
    for (int64_t i = 0; i < ead_param_size(param); i++)
        values[i] = (real)(float)(deviation * draw_normal(seed, stream, (uint64_t)i));
}

const EadParam *ead_params_find(const EadParams *params, const char *name) {
    for (int i = 0; i < params->count; i++)
        if (strcmp(params->items[i].name, name) == 0) return &params->items[i];
    assert(!"a parameter of that name");
    return NULL;
}

static const EadParam *find_part(const EadParams *params, const char *prefix, const char *part) {
    char name[EAD_NAME_SIZE];
    snprintf(name, sizeof name, "%s.%s", prefix, part);
    return ead_params_find(params, name);
}

static EadNode *leaf(EadGraph *graph, const EadParam *param, int n, int c, real *data, bool trainable) {
    if (trainable) return ead_trainable_leaf(graph, param->name, n, param->h, param->w, c, data);
    return ead_leaf(graph, param->name, EAD_REAL, n, param->h, param->w, c, data);
}

EadConvParams ead_conv_params(EadGraph *graph, const EadParams *params, const char *prefix, int first,
                              int count, bool trainable) {
    const EadParam *weight = find_part(params, prefix, "weight"), *bias = find_part(params, prefix, "bias");
    if (count == 0) count = weight->n;
    real *weights = params->values + weight->offset + first * (ead_param_size(weight) / weight->n);
    return (EadConvParams){leaf(graph, weight, count, weight->c, weights, trainable),
                           leaf(graph, bias, 1, count, params->values + bias->offset + first, trainable)};
}

EadNode *ead_param_leaf(EadGraph *graph, const EadParams *params, const char *name, bool trainable) {
    const EadParam *param = ead_params_find(params, name);
    return leaf(graph, param, param->n, param->c, params->values + param->offset, trainable);
}
