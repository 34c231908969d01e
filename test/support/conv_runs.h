/* A convolution with both its gradients on random numbers, planned with any algorithm and instruction level:
 * what the suites about the algorithms share. Compiled in float and in double. */
#pragma once

#include "core/ops/conv2d/conv2d.h"
#include "core/graph/op.h"
#include "core/base/philox.h"
#include "core/plan/plan.h"
#include "core/simd/simd.h"
#include "test/support/suite.h"

#include <string.h>

typedef struct ConvCase {
    const char *name;
    int n, h, w, i, o, kernel, stride, padding;
} ConvCase;

enum { CONV_LEAVES = 4, CONV_RESULTS = 3 };

/* The leaves x, weight, bias, dy; the results y, dx, dw. */
typedef struct ConvRun {
    ConvCase c;
    bool apart; /* plan nothing to be reused or kept */
    real *memory[CONV_LEAVES];
    EadGraph *graph;
    EadPlan *plan;
    EadNode *results[CONV_RESULTS];
} ConvRun;

static inline real *conv_random(int64_t count, uint64_t seed) {
    real *numbers = malloc((size_t)count * sizeof *numbers);
    ck_assert_ptr_nonnull(numbers);
    uint32_t words[4];
    for (int64_t i = 0; i < count; i++) {
        if (i % 4 == 0) ead_philox(seed, EAD_STREAM_TEST, (uint64_t)i / 4, words);
        numbers[i] = 2 * (real)ead_uniform(words[i % 4]) - 1;
    }
    return numbers;
}

static inline int conv_output_size(const ConvCase *c, int size) {
    return (size + 2 * c->padding - c->kernel) / c->stride + 1;
}

static inline void conv_open(ConvRun *run, const ConvCase *c) {
    *run = (ConvRun){.c = *c};
    int64_t pixels = (int64_t)c->n * conv_output_size(c, c->h) * conv_output_size(c, c->w);
    const int64_t counts[CONV_LEAVES] = {(int64_t)c->n * c->h * c->w * c->i,
                                         (int64_t)c->o * c->kernel * c->kernel * c->i, c->o, pixels * c->o};
    for (int k = 0; k < CONV_LEAVES; k++) run->memory[k] = conv_random(counts[k], (uint64_t)k + 1);
}

/* The variables are read at plan time and at run time; they stay until the next conv_plan(). Constant weights
 * are transformed once, others in each run. */
static inline void conv_plan(ConvRun *run, const char *algorithm, const char *level, bool constant_weights) {
    const ConvCase *c = &run->c;
    int k = c->kernel, oh = conv_output_size(c, c->h), ow = conv_output_size(c, c->w);
    setenv("EFFICIENTAD_CONV", algorithm, 1);
    setenv("EFFICIENTAD_CPU", level, 1);
    EadGraph *g = run->graph = ead_graph_new();
    EadNode *x = ead_leaf(g, "x", EAD_REAL, c->n, c->h, c->w, c->i, run->memory[0]);
    EadNode *weight = constant_weights ? ead_leaf(g, "weight", EAD_REAL, c->o, k, k, c->i, run->memory[1])
                                       : ead_trainable_leaf(g, "weight", c->o, k, k, c->i, run->memory[1]);
    EadNode *bias = ead_leaf(g, "bias", EAD_REAL, 1, 1, 1, c->o, run->memory[2]);
    EadNode *dy = ead_leaf(g, "dy", EAD_REAL, c->n, oh, ow, c->o, run->memory[3]);
    run->results[0] = ead_conv2d(g, x, weight, bias, (EadConv2d){c->stride, c->padding, true});
    run->results[1] =
        ead_conv2d_input_gradient(g, dy, weight, (EadConv2dGradient){c->stride, c->padding, c->h, c->w});
    run->results[2] = ead_conv2d_weight_gradient(g, dy, x, (EadConv2dGradient){c->stride, c->padding, k, k});
    for (int r = 0; r < CONV_RESULTS; r++) ead_keep(run->results[r]);
    ck_assert_msg(ead_plan_new(g, &(EadPlanOptions){.no_reuse = run->apart}, &run->plan) == EAD_OK, "%s: %s",
                  c->name, ead_error_message());
}

static inline void conv_unplan(ConvRun *run) {
    ead_plan_free(run->plan);
    ead_graph_free(run->graph);
    run->plan = NULL;
    run->graph = NULL;
}

static inline void conv_close(ConvRun *run) {
    for (int k = 0; k < CONV_LEAVES; k++) free(run->memory[k]);
    unsetenv("EFFICIENTAD_CONV");
    unsetenv("EFFICIENTAD_CPU");
}

/* The copy of a result, for free(). */
static inline real *conv_copy(const EadNode *result) {
    real *copy = malloc(ead_bytes(&result->y));
    ck_assert_ptr_nonnull(copy);
    return memcpy(copy, result->y.data, ead_bytes(&result->y));
}

/* The instruction levels, narrowest first; on processors other than x86-64 there is only "base". */
static const char *const conv_levels[] = {"v2", "v3", "v4", "base"};
enum { CONV_LEVELS = sizeof conv_levels / sizeof *conv_levels };

static inline bool conv_has_level(const char *level) {
    setenv("EFFICIENTAD_CPU", level, 1);
    bool has = strcmp(ead_simd()->name, level) == 0;
    unsetenv("EFFICIENTAD_CPU");
    return has;
}

/* What Winograd's tiles can do, by its documentation. */
static inline bool conv_fits_winograd(const ConvCase *c) {
    return c->i % 16 == 0 && c->o % 16 == 0 && (c->kernel == 3 || c->kernel == 4) && c->stride == 1 &&
           c->padding < c->kernel;
}

/* The reference, im2col and OpenBLAS: shares no line with the product; only the suites that include this are linked
 * with OpenBLAS. What a planned call of conv2d, conv2d_input_gradient or conv2d_weight_gradient should write to its output,
 * by matrix products of this build's `real`; for free(). NULL for other ops. */
real *conv_by_gemm(const EadCall *call, EadOpId op);
