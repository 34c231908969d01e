/* Networks for the host runner. */
#include "test/cuda_host/tiny_networks.h"

#include "core/ops/add/add.h"
#include "core/ops/avg_pool2d/avg_pool2d.h"
#include "core/ops/channel_affine/channel_affine.h"
#include "core/ops/channel_mean/channel_mean.h"
#include "core/ops/conv2d/conv2d.h"
#include "core/ops/conv2d_pool/conv2d_pool.h"
#include "core/ops/sample_index/sample_index.h"
#include "core/ops/dropout/dropout.h"
#include "core/ops/gather_image/gather_image.h"
#include "core/ops/lr_schedule/lr_schedule.h"
#include "core/ops/mean/mean.h"
#include "core/ops/masked_mean/masked_mean.h"
#include "core/ops/normalize_image/normalize_image.h"
#include "core/ops/pad_border/pad_border.h"
#include "core/ops/relu/relu.h"
#include "core/ops/resize_bilinear/resize_bilinear.h"
#include "core/ops/scale/scale.h"
#include "core/ops/slice_batch/slice_batch.h"
#include "core/ops/squared_difference/squared_difference.h"
#include "core/base/philox.h"

#include <check.h>

enum { C = TINY_FEATURES, MAP = 12 };

static void declare(EadParams *params, const char *prefix, int out, int kernel, int in) {
    ck_assert_int_eq(ead_params_declare_conv(params, prefix, out, kernel, kernel, in), EAD_OK);
}

void tiny_networks_new(TinyNetworks *tiny) {
    *tiny = (TinyNetworks){.map_scale = 3, .map_shift = (real)-0.2};
    declare(&tiny->teacher, "conv1", 8, 4, 3);
    declare(&tiny->teacher, "conv2", C, 3, 8);
    declare(&tiny->trained, "conv1", 8, 4, 3);
    declare(&tiny->trained, "conv2", 2 * C, 3, 8);
    declare(&tiny->trained, "encoder1", 8, 4, 3);
    declare(&tiny->trained, "encoder2", 8, 4, 8);
    declare(&tiny->trained, "decoder", C, 3, 8);
    ck_assert_int_eq(ead_params_allocate(&tiny->teacher), EAD_OK);
    ck_assert_int_eq(ead_params_allocate(&tiny->trained), EAD_OK);
    ead_params_initialize(&tiny->teacher, 1);
    ead_params_initialize(&tiny->trained, 2);
    ck_assert_int_eq(ead_optimizer_new(&tiny->trained, &tiny->optimizer), EAD_OK);
    for (int c = 0; c < C; c++) {
        tiny->scale[c] = 2 + (real)c / C;
        tiny->shift[c] = (real)c / C - (real)0.5;
    }
}

void tiny_networks_free(TinyNetworks *tiny) {
    ead_params_free(&tiny->teacher);
    ead_params_free(&tiny->trained);
    ead_optimizer_free(&tiny->optimizer);
}

void tiny_fill_images(uint64_t seed, uint8_t images[TINY_BATCH * TINY_IMAGE * TINY_IMAGE * 3]) {
    for (uint64_t i = 0; i < TINY_BATCH * TINY_IMAGE * TINY_IMAGE * 3; i++)
        images[i] = (uint8_t)(ead_philox_word(seed, EAD_STREAM_TEST, i) >> 24);
}

static EadNode *image_leaf(EadGraph *graph, int count) {
    return ead_leaf(graph, "images", EAD_U8, count, TINY_IMAGE, TINY_IMAGE, 3, NULL);
}

static EadNode *vector(EadGraph *graph, const char *name, int count, real *values) {
    return ead_leaf(graph, name, EAD_REAL, 1, 1, 1, count, values);
}

/* [N,32,32,3] -> [N,14,14,8]; with gradients the pooling is an op of its own. */
static EadNode *trunk(EadGraph *graph, const EadParams *params, bool trainable, EadNode *x) {
    EadConvParams p = ead_conv_params(graph, params, "conv1", 0, 0, trainable);
    return ead_conv2d_pool(graph, x, p.weight, p.bias, (EadConv2dPool){{.stride = 1, .relu = true}, 0});
}

/* -> [N,12,12,C]: outputs first .. first + C - 1. */
static EadNode *head(EadGraph *graph, const EadParams *params, bool trainable, EadNode *x, int first) {
    EadConvParams p = ead_conv_params(graph, params, "conv2", first, C, trainable);
    return ead_conv2d(graph, x, p.weight, p.bias, (EadConv2d){.stride = 1});
}

static EadNode *teacher(EadGraph *graph, TinyNetworks *tiny, EadNode *x) {
    EadNode *features = head(graph, &tiny->teacher, false, trunk(graph, &tiny->teacher, false, x), 0);
    return ead_channel_affine(graph, features, vector(graph, "scale", C, tiny->scale),
                              vector(graph, "shift", C, tiny->shift));
}

/* step: NULL without dropout. */
static EadNode *autoencoder(EadGraph *graph, const TinyNetworks *tiny, bool trainable, EadNode *x,
                            EadNode *step) {
    EadConv2d half = {.stride = 2, .padding = 1, .relu = true};
    EadConvParams p = ead_conv_params(graph, &tiny->trained, "encoder1", 0, 0, trainable);
    x = ead_conv2d(graph, x, p.weight, p.bias, half);
    p = ead_conv_params(graph, &tiny->trained, "encoder2", 0, 0, trainable);
    x = ead_resize_bilinear(graph, ead_conv2d(graph, x, p.weight, p.bias, half), MAP, MAP);
    if (step) x = ead_dropout(graph, x, step, 0.2, 7, 0);
    p = ead_conv_params(graph, &tiny->trained, "decoder", 0, 0, trainable);
    return ead_conv2d(graph, x, p.weight, p.bias, (EadConv2d){.stride = 1, .padding = 1});
}

static EadNode *mean_square(EadGraph *graph, EadNode *a, EadNode *b) {
    return ead_mean(graph, ead_squared_difference(graph, a, b));
}

EadNode *tiny_build_teacher(EadGraph *graph, TinyNetworks *tiny, EadNode **image) {
    *image = image_leaf(graph, 1);
    return ead_keep(teacher(graph, tiny, ead_normalize_image(graph, *image)));
}

EadNode *tiny_build_table(EadGraph *graph, TinyNetworks *tiny, int64_t *images, EadNode **drawn) {
    EadNode *count = ead_leaf(graph, "count", EAD_I64, 1, 1, 1, 1, images);
    EadNode *step = ead_leaf(graph, "step", EAD_I64, 1, 1, 1, 1, &tiny->done);
    EadNode *table = ead_table(graph, "features", EAD_REAL, (int)*images, MAP, MAP, C);
    *drawn = ead_gather_image(
        graph, table, ead_sample_index(graph, step, count, (EadSampleIndex){3, EAD_STREAM_TRAIN_ORDER}));
    return table;
}

int tiny_drawn(uint64_t step, int64_t images) {
    return (int)ead_shuffled_index(3, EAD_STREAM_TRAIN_ORDER, step, (uint32_t)images);
}

void tiny_build_step(EadGraph *graph, TinyNetworks *tiny, EadNode *known, EadNode **images,
                     EadNode *losses[TINY_LOSSES]) {
    *images = image_leaf(graph, TINY_BATCH);
    EadNode *step = ead_leaf(graph, "step", EAD_I64, 1, 1, 1, 1, &tiny->done),
            *x = ead_normalize_image(graph, *images);
    EadNode *on_train = known ? known : teacher(graph, tiny, ead_slice_batch(graph, x, 1, 1));
    EadNode *on_augmented = teacher(graph, tiny, ead_slice_batch(graph, x, 2, 1));
    EadNode *t = trunk(graph, &tiny->trained, true, x);
    EadNode *first = head(graph, &tiny->trained, true, ead_slice_batch(graph, t, 0, 2), 0);
    EadNode *second = head(graph, &tiny->trained, true, ead_slice_batch(graph, t, 2, 1), C);
    EadNode *prediction = autoencoder(graph, tiny, true, ead_slice_batch(graph, x, 2, 1), step);
    EadNode *distance = ead_squared_difference(graph, on_train, ead_slice_batch(graph, first, 1, 1));
    losses[0] = ead_hard_feature_loss(graph, distance, 0.99);
    losses[1] = mean_square(graph, ead_slice_batch(graph, first, 0, 1), NULL);
    losses[2] = mean_square(graph, on_augmented, prediction);
    losses[3] = mean_square(graph, prediction, second);
    losses[4] = losses[0];
    for (int i = 1; i < 4; i++) losses[4] = ead_add(graph, losses[4], losses[i]);
    for (int i = 0; i < TINY_LOSSES; i++) ead_keep(losses[i]);
    EadNode *rate = ead_lr_schedule(graph, step, (EadLrSchedule){1e-3, 0.1, 2});
    EadParamGroup group = {&tiny->trained, &tiny->optimizer, ead_adam_usual(1e-5), rate};
    ead_optimizer_append(graph, 1, &group, losses[4], step, (EadShare){0});
}

EadNode *tiny_build_maps(EadGraph *graph, TinyNetworks *tiny, EadNode **images) {
    *images = image_leaf(graph, TINY_BATCH);
    EadNode *x = ead_normalize_image(graph, *images), *t = trunk(graph, &tiny->trained, false, x);
    EadNode *prediction = autoencoder(graph, tiny, false, x, NULL);
    EadNode *st = ead_channel_mean(graph, ead_squared_difference(graph, teacher(graph, tiny, x),
                                                                 head(graph, &tiny->trained, false, t, 0)));
    EadNode *ae = ead_channel_mean(
        graph, ead_squared_difference(graph, prediction, head(graph, &tiny->trained, false, t, C)));
    EadNode *scale = vector(graph, "map_scale", 1, &tiny->map_scale),
            *shift = vector(graph, "map_shift", 1, &tiny->map_shift);
    EadNode *map = ead_scale(graph, ead_add(graph, ead_channel_affine(graph, st, scale, shift), ae), 0.5);
    return ead_keep(ead_resize_bilinear(graph, ead_pad_border(graph, map, 4), TINY_IMAGE, TINY_IMAGE));
}
