/* The detector's part of the toy method: its file, and its map. */
#include "test/toy/toy.h"

#include "core/base/memory.h"
#include "core/ops/channel_affine/channel_affine.h"
#include "core/ops/channel_mean/channel_mean.h"
#include "core/ops/conv2d/conv2d.h"
#include "core/ops/normalize_image/normalize_image.h"
#include "core/ops/squared_difference/squared_difference.h"
#include "models/networks/params_file.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

extern const EadMethodFunctions ead_toy_functions;

static int pixels(const EadModel *model) {
    return 3 * model->height * model->width;
}

static void free_toy(EadModel *model) {
    Toy *toy = (Toy *)model;
    ead_params_free(&toy->mix);
    free(toy->mean);
    free(toy);
}

/* The convolution starts as the identity. */
static EadStatus make(Toy *toy) {
    toy->mean = ead_new(pixels(&toy->base), sizeof *toy->mean, "the mean image");
    if (!toy->mean) return EAD_NO_MEMORY;
    EAD_TRY(ead_params_declare_conv(&toy->mix, "toy.mix", 3, 1, 1, 3));
    EAD_TRY(ead_params_allocate(&toy->mix));
    for (int c = 0; c < 3; c++) toy->mix.values[toy->mix.items[0].offset + 4 * c] = 1;
    return EAD_OK;
}

EadStatus toy_new(int height, int width, Toy **out) {
    Toy *toy = ead_new(1, sizeof *toy, "a toy");
    if (!toy) return EAD_NO_MEMORY;
    toy->base = ead_model_new("toy", height, width);
    EadStatus status = make(toy);
    if (status == EAD_OK)
        *out = toy;
    else
        free_toy(&toy->base);
    return status;
}

EadNode *toy_distance(EadGraph *graph, const Toy *toy, EadNode *images, bool trainable) {
    static real none[3];
    EadNode *scale = ead_leaf(graph, "scale", EAD_REAL, 1, 1, 1, 3, (void *)toy->scale);
    EadNode *shift = ead_leaf(graph, "shift", EAD_REAL, 1, 1, 1, 3, none);
    EadNode *mean = ead_leaf(graph, "mean", EAD_REAL, 1, toy->base.height, toy->base.width, 3, toy->mean);
    EadConvParams p = ead_conv_params(graph, &toy->mix, "toy.mix", 0, 0, trainable);
    EadNode *x = ead_channel_affine(graph, ead_normalize_image(graph, images), scale, shift);
    return ead_squared_difference(graph, ead_conv2d(graph, x, p.weight, p.bias, (EadConv2d){.stride = 1}),
                                  mean);
}

static EadDetection build(EadGraph *graph, const EadModel *model, EadNode *images) {
    EadNode *distance = toy_distance(graph, (const Toy *)model, images, false);
    return (EadDetection){.map = ead_keep(ead_channel_mean(graph, distance))};
}

static EadStatus read_vector(const EadSafetensors *file, const char *name, int count, real *out) {
    double *values = ead_new(count, sizeof *values, "a vector");
    if (!values) return EAD_NO_MEMORY;
    EadStatus status = ead_vector_read(file, name, count, values);
    for (int i = 0; i < count && status == EAD_OK; i++) out[i] = (real)values[i];
    free(values);
    return status;
}

static EadStatus read(const EadSafetensors *file, int height, int width, EadModel **out) {
    Toy *toy;
    EAD_TRY(toy_new(height, width, &toy));
    *out = &toy->base;
    EadStatus status = ead_params_read_all(file, &toy->mix);
    if (status == EAD_OK) status = read_vector(file, "toy.mean", pixels(*out), toy->mean);
    if (status == EAD_OK) status = read_vector(file, "toy.scale", 3, toy->scale);
    if (status != EAD_OK) free_toy(*out);
    return status;
}

static EadStatus write(const EadModel *model, EadSafetensorsWriter *writer) {
    const Toy *toy = (const Toy *)model;
    EAD_TRY(ead_params_write(writer, &toy->mix, EAD_FILE_F32));
    EAD_TRY(ead_vector_write(writer, "toy.mean", pixels(model), toy->mean));
    return ead_vector_write(writer, "toy.scale", 3, toy->scale);
}

static size_t bytes(const EadModel *model) {
    return (size_t)pixels(model) * sizeof(real);
}

static void describe(const EadModel *model, char *text, size_t size) {
    snprintf(text, size, "a toy at %dx%d", model->height, model->width);
}

const EadMethodFunctions ead_toy_functions = {
    .read = read, .write = write, .build = build, .bytes = bytes, .describe = describe, .free = free_toy};
