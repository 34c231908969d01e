/* The mean: shapes, gradient, kernels for the CPU. */
#include "core/ops/mean/mean.h"

#include "core/graph/op.h"
#include "core/ops/reduction.h"

EadNode *ead_mean(EadGraph *graph, EadNode *x) {
    EadMean attributes = {x->y.n, x->y.h, x->y.w, x->y.c};
    return ead_graph_add(graph, EAD_OP_mean, 1, (EadNode *[]){x}, &attributes, sizeof attributes);
}

static EadStatus shape(const EadNode *node, EadTensor *y) {
    EAD_TRY(ead_shape_like_first(node, y));
    *y = (EadTensor){EAD_REAL, 1, 1, 1, 1, NULL};
    return EAD_OK;
}

static EadStatus gradient_shape(const EadNode *node, EadTensor *dx) {
    const EadMean *a = (const void *)node->attributes;
    *dx = (EadTensor){EAD_REAL, a->n, a->h, a->w, a->c, NULL};
    return EAD_OK;
}

static void gradient(EadGraph *graph, EadNode *node, EadNode *dy, EadNode **dx) {
    dx[0] =
        ead_graph_add(graph, EAD_OP_mean_gradient, 1, (EadNode *[]){dy}, node->attributes, sizeof(EadMean));
}

const EadOp ead_op_mean = {.name = "mean", .shape = shape, .gradient = gradient};
const EadOp ead_op_mean_gradient = {.name = "mean_gradient", .shape = gradient_shape};

static void plan(EadCall *call) {
    call->workspace_bytes = (size_t)ead_chunk_count(ead_count(call->x[0])) * sizeof(double);
}

static void mean(const EadCall *call) {
    const real *x = call->x[0]->data;
    double *partials = call->workspace;
    int64_t count = ead_count(call->x[0]), chunks = ead_chunk_count(count);
#pragma omp parallel for schedule(static)
    for (int64_t i = 0; i < chunks; i++)
        partials[i] = ead_sum(x + i * EAD_CHUNK_ELEMENTS, ead_chunk_size(count, i));
    *(real *)call->y->data = (real)(ead_sum_partials(partials, chunks) / (double)count);
}

static void mean_gradient(const EadCall *call) {
    real *dx = call->y->data;
    int64_t count = ead_count(call->y);
    real share = *(const real *)call->x[0]->data / (real)count;
#pragma omp parallel for simd schedule(static)
    for (int64_t i = 0; i < count; i++) dx[i] = share;
}

const EadKernel ead_mean_cpu = {.run = mean, .plan = plan};
const EadKernel ead_mean_gradient_cpu = {.run = mean_gradient};
