/* The model, its graphs, and its row among the methods. */
#include "models/simplenet/simplenet.h"

#include "core/base/memory.h"
#include "core/base/minmax.h"
#include "core/ops/batch_norm/batch_norm.h"
#include "core/ops/conv2d/conv2d.h"
#include "core/ops/leaky_relu/leaky_relu.h"
#include "core/ops/scale/scale.h"
#include "models/networks/folded_conv.h"
#include "models/networks/params_file.h"
#include "models/networks/patch_embedding.h"
#include "models/networks/patch_map.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ADAPTOR       "adaptor"
#define DISCRIMINATOR "discriminator."
#define HIDDEN        DISCRIMINATOR "hidden"
#define NORM          DISCRIMINATOR "norm"
#define HEAD          DISCRIMINATOR "head.weight"

static const double MOMENTUM = 0.1;

static void free_model(EadModel *base) {
    EadSimplenet *model = (EadSimplenet *)base;
    ead_backbone_free(&model->backbone);
    ead_params_free(&model->adaptor);
    ead_params_free(&model->discriminator);
    free(model->running), free(model->merged), free(model->bias);
    free(model);
}

/* Finds how many patches images of the model's size leave. */
static EadStatus find_grid(EadSimplenet *model) {
    int grid[2];
    EAD_TRY(ead_backbone_patch_grid(&model->backbone, &model->spec.taps, model->spec.length,
                                    model->spec.length, model->base.height, model->base.width, grid));
    model->grid_height = grid[0];
    model->grid_width = grid[1];
    return EAD_OK;
}

static EadStatus declare(EadSimplenet *model) {
    int length = model->spec.length, hidden = model->spec.hidden;
    EadParams *d = &model->discriminator;
    EAD_TRY(ead_params_declare_conv(&model->adaptor, ADAPTOR, length, 1, 1, length));
    EAD_TRY(ead_params_declare_conv(d, HIDDEN, hidden, 1, 1, length));
    EAD_TRY(ead_params_declare(d, NORM ".weight", 1, 1, 1, hidden, 1));
    EAD_TRY(ead_params_declare(d, NORM ".bias", 1, 1, 1, hidden, 1));
    EAD_TRY(ead_params_declare(d, HEAD, 1, 1, 1, hidden, hidden));
    EAD_TRY(ead_params_check_room(model->adaptor.total + 2 * d->total));
    EAD_TRY(ead_params_allocate(&model->adaptor));
    EAD_TRY(ead_params_allocate(d));
    model->running = ead_new(2 * (int64_t)hidden, sizeof(real), "a model");
    model->merged = ead_new((int64_t)hidden * length, sizeof(real), "a model");
    model->bias = ead_new(hidden, sizeof(real), "a model");
    return model->running && model->merged && model->bias ? EAD_OK : EAD_NO_MEMORY;
}

EadStatus ead_simplenet_new(const EadSimplenetSpec *spec, EadBackbone *backbone, EadSimplenet **out) {
    EadSimplenet *model = ead_new(1, sizeof *model, "a model");
    if (!model) {
        ead_backbone_free(backbone);
        return EAD_NO_MEMORY;
    }
    model->base = ead_model_new("simplenet", spec->height, spec->width);
    model->spec = *spec;
    model->scale = 1;
    ead_backbone_move(&model->backbone, backbone, spec->stored);
    EadStatus status = find_grid(model);
    if (status == EAD_OK) status = declare(model);
    if (status == EAD_OK)
        *out = model;
    else
        free_model(&model->base);
    return status;
}

void ead_simplenet_initialize(EadSimplenet *model, uint64_t seed) {
    EadParams *d = &model->discriminator;
    ead_params_initialize(&model->adaptor, seed);
    ead_params_initialize(d, seed);
    ead_params_draw_xavier(&model->adaptor, ADAPTOR ".weight", seed);
    ead_params_draw_xavier(d, HIDDEN ".weight", seed);
    ead_params_draw_xavier(d, HEAD, seed);
    ead_params_set(d, NORM ".weight", 1);
    ead_params_set(d, NORM ".bias", 0);
    for (int h = 0; h < model->spec.hidden; h++) {
        model->running[h] = 0;
        model->running[model->spec.hidden + h] = 1;
    }
}

/* ---- one layer out of three ---- */

static const real *values_of(const EadParams *params, const char *name) {
    return params->values + ead_params_find(params, name)->offset;
}

/* Rows first .. end - 1 of merged: those of the hidden layer times the adaptor, scaled by factor[0 ..]. */
static void merge_rows(EadSimplenet *model, int first, int end, const real *factor) {
    int length = model->spec.length;
    const real *adaptor = values_of(&model->adaptor, ADAPTOR ".weight");
    const real *hidden = values_of(&model->discriminator, HIDDEN ".weight");
    memset(model->merged + (int64_t)first * length, 0, (size_t)(end - first) * (size_t)length * sizeof(real));
    for (int k = 0; k < length; k++)
        for (int h = first; h < end; h++) {
            real weight = hidden[(int64_t)h * length + k] * factor[h - first] * model->scale;
            const real *from = adaptor + (int64_t)k * length;
            real *to = model->merged + (int64_t)h * length;
            for (int i = 0; i < length; i++) to[i] += weight * from[i];
        }
}

void ead_simplenet_merge(EadSimplenet *model) {
    enum { ROWS = 8 };
    int length = model->spec.length, hidden = model->spec.hidden;
    const EadParams *d = &model->discriminator;
    const real *weight = values_of(d, HIDDEN ".weight"),
               *adaptor_bias = values_of(&model->adaptor, ADAPTOR ".bias");
    const real *bias = values_of(d, HIDDEN ".bias"), *scale = values_of(d, NORM ".weight");
    const real *shift = values_of(d, NORM ".bias"), *mean = model->running, *variance = mean + hidden;
#pragma omp parallel for schedule(static)
    for (int first = 0; first < hidden; first += ROWS) {
        int end = ead_min(first + ROWS, hidden);
        real factor[ROWS];
        for (int h = first; h < end; h++) {
            double f = (double)scale[h] / sqrt((double)variance[h] + EAD_SIMPLENET_EPSILON),
                   sum = (double)bias[h];
            for (int k = 0; k < length; k++)
                sum += (double)weight[(int64_t)h * length + k] * (double)adaptor_bias[k];
            model->bias[h] = (real)(f * (sum - (double)mean[h]) + (double)shift[h]);
            factor[h - first] = (real)f;
        }
        merge_rows(model, first, end, factor);
    }
}

/* ---- the graphs ---- */

EadNode *ead_simplenet_patches(EadGraph *graph, const EadSimplenet *model, EadNode *images) {
    return ead_backbone_patches(graph, &model->backbone, &model->spec.taps, model->spec.length,
                                model->spec.length, images);
}

static EadNode *linear(EadGraph *graph, EadNode *x, EadNode *weight, EadNode *bias) {
    return ead_conv2d(graph, x, weight, bias, (EadConv2d){.stride = 1});
}

EadNode *ead_simplenet_adapt(EadGraph *graph, const EadSimplenet *model, EadNode *patches) {
    EadConvParams p = ead_conv_params(graph, &model->adaptor, ADAPTOR, 0, 0, true);
    return linear(graph, patches, p.weight, p.bias);
}

EadNode *ead_simplenet_discriminate(EadGraph *graph, const EadSimplenet *model, EadNode *adapted) {
    const EadParams *d = &model->discriminator;
    EadConvParams p = ead_conv_params(graph, d, HIDDEN, 0, 0, true);
    EadNode *x = linear(graph, adapted, p.weight, p.bias), *statistics = ead_batch_statistics(graph, x);
    EadNode *running = ead_leaf(graph, "running", EAD_REAL, 2, 1, 1, model->spec.hidden, model->running);
    ead_batch_norm_update(graph, running, x, statistics, MOMENTUM);
    x = ead_batch_norm(graph, x, statistics, ead_param_leaf(graph, d, NORM ".weight", true),
                       ead_param_leaf(graph, d, NORM ".bias", true), EAD_SIMPLENET_EPSILON);
    x = ead_leaky_relu(graph, x, EAD_SIMPLENET_SLOPE);
    return linear(graph, x, ead_param_leaf(graph, d, HEAD, true), NULL);
}

static EadDetection build(EadGraph *graph, const EadModel *base, EadNode *images) {
    const EadSimplenet *model = (const EadSimplenet *)base;
    int length = model->spec.length, hidden = model->spec.hidden;
    EadDetection detection = {0};
    EadNode *weight = ead_leaf(graph, "merged.weight", EAD_REAL, hidden, 1, 1, length, model->merged);
    EadNode *bias = ead_leaf(graph, "merged.bias", EAD_REAL, 1, 1, 1, hidden, model->bias);
    EadNode *x = linear(graph, ead_simplenet_patches(graph, model, images), weight, bias);
    x = ead_leaky_relu(graph, x, EAD_SIMPLENET_SLOPE);
    x = linear(graph, x, ead_param_leaf(graph, &model->discriminator, HEAD, false), NULL);
    ead_patch_map(graph, &base->region, ead_scale(graph, x, -1), base->height, base->width, model->spec.sigma,
                  &detection.map, &detection.score);
    return detection;
}

/* ---- the file ---- */

/* The number of outputs and inputs of a linear layer. */
static EadStatus find_layer(const EadSafetensors *file, const char *name, int *outputs, int *inputs) {
    const EadFileTensor *t = ead_safetensors_find(file, name);
    bool valid = t && t->dims == 4 && t->shape[0] >= 1 && t->shape[0] <= EAD_SIMPLENET_MOST &&
                 t->shape[1] >= 1 && t->shape[1] <= EAD_SIMPLENET_MOST;
    if (!valid)
        return ead_fail(EAD_BAD_FILE, "%s: tensor '%s' is missing or is not [outputs,inputs,1,1]; %s",
                        ead_safetensors_path(file), name, EAD_MODEL_FILE_HINT);
    *outputs = (int)t->shape[0];
    *inputs = (int)t->shape[1];
    return EAD_OK;
}

static EadStatus read_spec(const EadSafetensors *file, const EadBackbone *backbone, EadSimplenetSpec *spec) {
    const char *layers = ead_safetensors_metadata(file, "layers");
    if (!layers || ead_backbone_find_taps(backbone, layers, &spec->taps) != EAD_OK)
        return ead_bad_metadata(file, "layers", layers, backbone->family->taps);
    EAD_TRY(find_layer(file, HIDDEN ".weight", &spec->hidden, &spec->length));
    return ead_metadata_number(file, "sigma", 0, EAD_PATCH_MAP_SIGMA, &spec->sigma);
}

static EadStatus read(const EadSafetensors *file, int height, int width, EadModel **out) {
    EadSimplenetSpec spec = {.height = height, .width = width, .stored = EAD_FILE_F32};
    EadBackbone backbone;
    EadSimplenet *model;
    double scale;
    EAD_TRY(ead_backbone_read(file, "backbone", &backbone));
    EadStatus status = read_spec(file, &backbone, &spec);
    if (status != EAD_OK) {
        ead_backbone_free(&backbone);
        return status;
    }
    status = ead_simplenet_new(&spec, &backbone, &model);
    if (status != EAD_OK) return ead_fail_prefix(EAD_BAD_FILE, "%s: ", ead_safetensors_path(file));
    status = ead_metadata_number(file, "scale", 1e-30, 1e30, &scale);
    model->scale = (real)scale;
    if (status == EAD_OK) status = ead_params_read_all(file, &model->adaptor);
    if (status == EAD_OK) status = ead_params_read_all(file, &model->discriminator);
    if (status == EAD_OK) status = ead_running_read(file, NORM, spec.hidden, model->running);
    if (status == EAD_OK) {
        ead_simplenet_merge(model);
        *out = &model->base;
    } else {
        free_model(&model->base);
    }
    return status;
}

static EadStatus write(const EadModel *base, EadSafetensorsWriter *writer) {
    const EadSimplenet *model = (const EadSimplenet *)base;
    char text[128];
    EAD_TRY(ead_backbone_write(&model->backbone, "backbone", model->spec.stored, writer));
    ead_backbone_taps_text(&model->backbone, &model->spec.taps, text, sizeof text);
    EAD_TRY(ead_safetensors_writer_metadata(writer, "layers", text));
    EAD_TRY(ead_metadata_number_write(writer, "sigma", model->spec.sigma));
    EAD_TRY(ead_metadata_number_write(writer, "scale", (double)model->scale));
    EAD_TRY(ead_params_write(writer, &model->adaptor, EAD_FILE_F32));
    EAD_TRY(ead_params_write(writer, &model->discriminator, EAD_FILE_F32));
    return ead_running_write(writer, NORM, model->spec.hidden, model->running);
}

/* ---- the method ---- */

static size_t bytes(const EadModel *base) {
    const EadSimplenet *model = (const EadSimplenet *)base;
    int64_t numbers = model->backbone.params.total + model->adaptor.total + model->discriminator.total;
    return (size_t)(numbers + (int64_t)model->spec.hidden * (model->spec.length + 3)) * sizeof(real);
}

static void describe(const EadModel *base, char *text, size_t size) {
    const EadSimplenet *model = (const EadSimplenet *)base;
    char taps[128];
    ead_backbone_taps_text(&model->backbone, &model->spec.taps, taps, sizeof taps);
    snprintf(text, size, "SimpleNet at %dx%d, %d features of %s's %s, %d hidden units", base->height,
             base->width, model->spec.length, model->backbone.name, taps, model->spec.hidden);
}

extern const EadMethodFunctions ead_simplenet_functions;
const EadMethodFunctions ead_simplenet_functions = {
    .read = read, .write = write, .build = build, .bytes = bytes, .describe = describe, .free = free_model};
