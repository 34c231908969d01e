/* The affine coupling: shapes, gradients, kernels for the CPU. */
#include "core/ops/coupling/coupling.h"

#include "core/graph/op.h"
#include "core/ops/reduction.h"
#include "core/simd/simd.h"

#include <string.h>
#include <tgmath.h>

EadNode *ead_coupling(EadGraph *graph, EadNode *x, EadNode *a, EadCoupling coupling) {
    return ead_graph_add(graph, EAD_OP_coupling, 2, (EadNode *[]){x, a}, &coupling, sizeof coupling);
}

EadNode *ead_coupling_logdet(EadGraph *graph, EadNode *a, EadCoupling coupling) {
    return ead_graph_add(graph, EAD_OP_coupling_logdet, 1, (EadNode *[]){a}, &coupling, sizeof coupling);
}

static EadStatus check_attributes(const EadNode *node) {
    const EadCoupling *c = (const void *)node->attributes;
    if (c->limit > 0 && c->slope > 0 && c->gain > 0) return EAD_OK;
    return ead_fail(EAD_BAD_ARGUMENT, "%s: limit %g, slope %g and gain %g must be above 0", node->name,
                    c->limit, c->slope, c->gain);
}

static EadStatus shape(const EadNode *node, EadTensor *y) {
    const EadTensor *a = &node->x[1]->y;
    EAD_TRY(check_attributes(node));
    EAD_TRY(ead_shape_like_first(node, y));
    if (a->type == EAD_REAL && a->n == y->n && a->h == y->h && a->w == y->w && a->c % 2 == 0 &&
        a->c / 2 <= y->c)
        return EAD_OK;
    return ead_fail(EAD_BAD_SHAPE,
                    "%s: scales and shifts [%d,%d,%d,%d] do not fit the last channels of [%d,%d,%d,%d]",
                    node->name, a->n, a->h, a->w, a->c, y->n, y->h, y->w, y->c);
}

static EadStatus logdet_shape(const EadNode *node, EadTensor *y) {
    EAD_TRY(check_attributes(node));
    EAD_TRY(ead_shape_like_first(node, y));
    if (y->c % 2) return ead_fail(EAD_BAD_SHAPE, "%s: %d channels are no pairs", node->name, y->c);
    *y = (EadTensor){EAD_REAL, 1, 1, 1, 1, NULL};
    return EAD_OK;
}

/* The gradients with respect to a, which is their last input. */
static EadStatus shape_like_a(const EadNode *node, EadTensor *y) {
    *y = node->x[2] ? node->x[2]->y : node->x[1]->y;
    y->data = NULL;
    return EAD_OK;
}

static void gradient(EadGraph *graph, EadNode *node, EadNode *dy, EadNode **dx) {
    EadNode *x = node->x[0], *a = node->x[1];
    if (x->needs_gradient)
        dx[0] = ead_graph_add(graph, EAD_OP_coupling_gradient, 2, (EadNode *[]){dy, a}, node->attributes,
                              sizeof(EadCoupling));
    if (a->needs_gradient)
        dx[1] = ead_graph_add(graph, EAD_OP_coupling_network_gradient, 3, (EadNode *[]){dy, x, a},
                              node->attributes, sizeof(EadCoupling));
}

static void logdet_gradient(EadGraph *graph, EadNode *node, EadNode *dy, EadNode **dx) {
    dx[0] = ead_graph_add(graph, EAD_OP_coupling_logdet_gradient, 2, (EadNode *[]){dy, node->x[0]},
                          node->attributes, sizeof(EadCoupling));
}

const EadOp ead_op_coupling = {.name = "coupling", .shape = shape, .gradient = gradient, .in_place = 1};
const EadOp ead_op_coupling_gradient = {.name = "coupling_gradient", .shape = shape, .in_place = 1};
const EadOp ead_op_coupling_network_gradient = {.name = "coupling_network_gradient", .shape = shape_like_a};
const EadOp ead_op_coupling_logdet = {
    .name = "coupling_logdet", .shape = logdet_shape, .gradient = logdet_gradient};
const EadOp ead_op_coupling_logdet_gradient = {.name = "coupling_logdet_gradient", .shape = shape_like_a};

/* ---- kernels ---- */

/* The attributes as kernels compute with them, and the sizes of a pixel. */
typedef struct Coupling {
    real limit, slope, gain;
    bool arctangent;
    int kept, changed; /* channels */
    const EadSimd *simd;
} Coupling;

static Coupling coupling_of(const EadCall *call, const EadTensor *a, int channels) {
    const EadCoupling *c = call->attributes;
    int changed = a->c / 2;
    return (Coupling){.limit = (real)c->limit,
                      .slope = (real)c->slope,
                      .gain = (real)c->gain,
                      .arctangent = c->arctangent,
                      .kept = channels - changed,
                      .changed = changed,
                      .simd = ead_simd()};
}

enum { PIECE = 256 }; /* channels at a time, so that each loop below is one of vector instructions */

/* f[i] = f(slope a[i]). */
static void bound(const Coupling *c, const real *a, int count, real f[PIECE]) {
    if (!c->arctangent)
        c->simd->tanh_row(a, c->slope, count, f);
    else
        for (int i = 0; i < count; i++) f[i] = atan(c->slope * a[i]);
}

/* df[i] = limit slope f'(slope a[i]), given f[i]. */
static void bound_slopes(const Coupling *c, const real *a, const real *f, int count, real df[PIECE]) {
    real slope = c->slope, factor = c->limit * c->slope;
    if (c->arctangent) {
#pragma omp simd
        for (int i = 0; i < count; i++) df[i] = factor / (1 + slope * a[i] * (slope * a[i]));
    } else {
#pragma omp simd
        for (int i = 0; i < count; i++) df[i] = factor * (1 - f[i] * f[i]);
    }
}

static int piece_at(const Coupling *c, int begin) {
    return c->changed - begin < PIECE ? c->changed - begin : PIECE;
}

/* y = x exp(s) + gain shift, or without shifts, for one pixel. */
static void scale_pixel(const Coupling *c, const real *x, const real *a, real gain, real *y) {
    real f[PIECE];
    if (y != x) memcpy(y, x, (size_t)c->kept * sizeof *y);
    for (int begin = 0; begin < c->changed; begin += PIECE) {
        int count = piece_at(c, begin), at = c->kept + begin;
        const real *shift = a + c->changed + begin;
        bound(c, a + begin, count, f);
        c->simd->exp_row(f, c->limit, count, f);
#pragma omp simd
        for (int i = 0; i < count; i++) y[at + i] = x[at + i] * f[i] + gain * shift[i];
    }
}

static void run(const EadCall *call, real gain) {
    int channels = call->y->c;
    Coupling c = coupling_of(call, call->x[1], channels);
    int64_t pixels = ead_count(call->y) / channels;
#pragma omp parallel for schedule(static)
    for (int64_t p = 0; p < pixels; p++)
        scale_pixel(&c, (const real *)call->x[0]->data + p * channels,
                    (const real *)call->x[1]->data + 2 * p * c.changed, gain,
                    (real *)call->y->data + p * channels);
}

static void coupling(const EadCall *call) {
    run(call, (real)((const EadCoupling *)call->attributes)->gain);
}

/* dx = dy exp(s). */
static void coupling_gradient(const EadCall *call) {
    run(call, 0);
}

/* da_scale = dy x exp(s) limit slope f', da_shift = gain dy, for one pixel's changed channels. */
static void network_pixel(const Coupling *c, const real *dy, const real *x, const real *a, real *da) {
    real f[PIECE], df[PIECE], gain = c->gain;
    for (int begin = 0; begin < c->changed; begin += PIECE) {
        int count = piece_at(c, begin);
        real *scale = da + begin, *shift = scale + c->changed;
        bound(c, a + begin, count, f);
        bound_slopes(c, a + begin, f, count, df);
        c->simd->exp_row(f, c->limit, count, f);
#pragma omp simd
        for (int i = 0; i < count; i++) {
            scale[i] = dy[begin + i] * x[begin + i] * f[i] * df[i];
            shift[i] = gain * dy[begin + i];
        }
    }
}

static void coupling_network_gradient(const EadCall *call) {
    int channels = call->x[0]->c;
    Coupling c = coupling_of(call, call->x[2], channels);
    int64_t pixels = ead_count(call->x[0]) / channels;
#pragma omp parallel for schedule(static)
    for (int64_t p = 0; p < pixels; p++)
        network_pixel(&c, (const real *)call->x[0]->data + p * channels + c.kept,
                      (const real *)call->x[1]->data + p * channels + c.kept,
                      (const real *)call->x[2]->data + 2 * p * c.changed,
                      (real *)call->y->data + 2 * p * c.changed);
}

/* The sum of f over a pixel. */
static double sum_pixel(const Coupling *c, const real *a) {
    real f[PIECE];
    double sum = 0;
    for (int begin = 0; begin < c->changed; begin += PIECE) {
        int count = piece_at(c, begin);
        bound(c, a + begin, count, f);
        sum += ead_sum(f, count);
    }
    return sum;
}

/* Each pixel's sum goes to the workspace; these are added in order. */
static void coupling_logdet(const EadCall *call) {
    Coupling c = coupling_of(call, call->x[0], 0);
    int64_t pixels = ead_count(call->x[0]) / call->x[0]->c;
    double *sums = call->workspace;
#pragma omp parallel for schedule(static)
    for (int64_t p = 0; p < pixels; p++)
        sums[p] = sum_pixel(&c, (const real *)call->x[0]->data + 2 * p * c.changed);
    *(real *)call->y->data = (real)((double)c.limit * ead_sum_partials(sums, pixels));
}

static void plan_logdet(EadCall *call) {
    call->workspace_bytes = (size_t)(ead_count(call->x[0]) / call->x[0]->c) * sizeof(double);
}

/* da_scale = dy limit slope f', da_shift = 0, for one pixel. */
static void logdet_pixel(const Coupling *c, real dy, const real *a, real *da) {
    real f[PIECE], df[PIECE];
    for (int begin = 0; begin < c->changed; begin += PIECE) {
        int count = piece_at(c, begin);
        bound(c, a + begin, count, f);
        bound_slopes(c, a + begin, f, count, df);
#pragma omp simd
        for (int i = 0; i < count; i++) da[begin + i] = dy * df[i];
    }
    memset(da + c->changed, 0, (size_t)c->changed * sizeof *da);
}

static void coupling_logdet_gradient(const EadCall *call) {
    Coupling c = coupling_of(call, call->x[1], 0);
    int64_t pixels = ead_count(call->y) / call->y->c;
    real dy = *(const real *)call->x[0]->data;
#pragma omp parallel for schedule(static)
    for (int64_t p = 0; p < pixels; p++)
        logdet_pixel(&c, dy, (const real *)call->x[1]->data + 2 * p * c.changed,
                     (real *)call->y->data + 2 * p * c.changed);
}

const EadKernel ead_coupling_cpu = {.run = coupling};
const EadKernel ead_coupling_gradient_cpu = {.run = coupling_gradient};
const EadKernel ead_coupling_network_gradient_cpu = {.run = coupling_network_gradient};
const EadKernel ead_coupling_logdet_cpu = {.run = coupling_logdet, .plan = plan_logdet};
const EadKernel ead_coupling_logdet_gradient_cpu = {.run = coupling_logdet_gradient};
