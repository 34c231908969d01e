/* The affine map of channels: shapes, gradient, kernels for the CPU. */
#include "core/ops/channel_affine/channel_affine.h"

#include "core/base/half.h"
#include "core/base/minmax.h"
#include "core/graph/op.h"
#include "core/ops/channel_sum/channel_sum.h"
#include "core/ops/mean/mean.h"
#include "core/ops/pair_sums.h"
#include "core/ops/scale/scale.h"
#include "core/ops/slice_batch/slice_batch.h"

#include <stdbool.h>

EadNode *ead_channel_affine(EadGraph *graph, EadNode *x, EadNode *scale, EadNode *shift) {
    return ead_graph_add(graph, EAD_OP_channel_affine, 3, (EadNode *[]){x, scale, shift}, NULL, 0);
}

static EadStatus check_vector(const EadNode *node, const EadNode *vector, int channels) {
    const EadTensor *t = &vector->y;
    if (vector->needs_gradient && node->x[0]->y.type == EAD_F16)
        return ead_fail(EAD_BAD_ARGUMENT, "%s: '%s' is trainable, which it cannot be with halves", node->name,
                        vector->name);
    if (t->type != EAD_REAL || ead_count(t) != channels || t->c != channels)
        return ead_fail(EAD_BAD_SHAPE, "%s: '%s' is [%d,%d,%d,%d] but must be [1,1,1,%d]", node->name,
                        vector->name, t->n, t->h, t->w, t->c, channels);
    return EAD_OK;
}

static EadStatus shape(const EadNode *node, EadTensor *y) {
    if (node->x[0]->y.type != EAD_F16) EAD_TRY(ead_shape_like_first(node, y));
    *y = node->x[0]->y;
    y->type = EAD_REAL;
    y->data = NULL;
    EAD_TRY(check_vector(node, node->x[1], ead_count(&node->x[1]->y) == 1 ? 1 : y->c));
    return node->x[2] ? check_vector(node, node->x[2], y->c) : EAD_OK;
}

static EadStatus sums_shape(const EadNode *node, EadTensor *y) {
    EAD_TRY(ead_shape_all_same(node, y));
    *y = (EadTensor){EAD_REAL, 2, 1, 1, y->c, NULL};
    return EAD_OK;
}

static void gradient(EadGraph *graph, EadNode *node, EadNode *dy, EadNode **dx) {
    EadNode *x = node->x[0], *scale = node->x[1], *shift = node->x[2];
    if (x->needs_gradient) dx[0] = ead_channel_affine(graph, dy, scale, NULL);
    if (!scale->needs_gradient && shift && shift->needs_gradient) dx[2] = ead_channel_sum(graph, dy);
    if (!scale->needs_gradient) return;
    EadNode *sums =
        ead_graph_add(graph, EAD_OP_channel_affine_gradient_sums, 2, (EadNode *[]){dy, x}, NULL, 0);
    dx[1] = ead_slice_batch(graph, sums, 1, 1);
    if (scale->y.c < x->y.c) dx[1] = ead_scale(graph, ead_mean(graph, dx[1]), x->y.c);
    if (shift && shift->needs_gradient) dx[2] = ead_slice_batch(graph, sums, 0, 1);
}

const EadOp ead_op_channel_affine = {
    .name = "channel_affine", .shape = shape, .gradient = gradient, .in_place = 1};
const EadOp ead_op_channel_affine_gradient_sums = {.name = "channel_affine_gradient_sums",
                                                   .shape = sums_shape};

enum { WIDENED = 64 }; /* channels that are widened at a time */

/* As many factors as channels, or one. */
typedef struct Affine {
    const real *scale, *shift; /* shift: or NULL */
    bool one;
} Affine;

/* Channels first .. first + count - 1 of a pixel. */
static void affine(const Affine *a, const real *x, int first, int count, real *y) {
    const real *scale = a->scale + (a->one ? 0 : first), *shift = a->shift ? a->shift + first : NULL;
    real factor = scale[0];
    if (a->one)
        for (int c = 0; c < count; c++) y[c] = x[c] * factor + (shift ? shift[c] : 0);
    else if (shift)
        for (int c = 0; c < count; c++) y[c] = x[c] * scale[c] + shift[c];
    else
        for (int c = 0; c < count; c++) y[c] = x[c] * scale[c];
}

/* The same of a pixel in half precision. */
static void affine_of_halves(const Affine *a, const uint16_t *x, int channels, real *y) {
    float widened[WIDENED];
    real part[WIDENED];
    for (int c = 0; c < channels; c += WIDENED) {
        int count = ead_min(channels - c, WIDENED);
        ead_halves_to_floats(x + c, count, widened);
        for (int k = 0; k < count; k++) part[k] = (real)widened[k];
        affine(a, part, c, count, y + c);
    }
}

static void channel_affine(const EadCall *call) {
    const EadTensor *x = call->x[0];
    Affine a = {call->x[1]->data, call->x[2] ? call->x[2]->data : NULL, call->x[1]->c < x->c};
    int channels = call->y->c;
    int64_t pixels = ead_count(call->y) / channels;
#pragma omp parallel for schedule(static)
    for (int64_t i = 0; i < pixels; i++) {
        int64_t at = i * channels;
        real *y = (real *)call->y->data + at;
        if (x->type == EAD_F16)
            affine_of_halves(&a, (const uint16_t *)x->data + at, channels, y);
        else
            affine(&a, (const real *)x->data + at, 0, channels, y);
    }
}

/* Of dy, and of dy x. */
static void channel_affine_gradient_sums(const EadCall *call) {
    real *y = call->y->data;
    int c = call->y->c;
    memset(call->workspace, 0, (size_t)c * sizeof(double));
    const double *sums = ead_pair_sums(call, call->x[0], call->x[1]);
    for (int i = 0; i < 2 * c; i++) y[i] = (real)sums[i];
}

const EadKernel ead_channel_affine_gradient_sums_cpu = {.run = channel_affine_gradient_sums,
                                                        .plan = ead_pair_sums_plan};
const EadKernel ead_channel_affine_cpu = {.run = channel_affine};

EadStandardizing ead_standardizing(double mean, double std) {
    const double least = 1e-6;
    double spread = (double)(float)(std > least ? std : 1), centre = (double)(float)mean;
    return (EadStandardizing){(real)centre, (real)spread, (real)(1 / spread), (real)(-centre / spread)};
}
