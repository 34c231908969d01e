/* Scaling by a constant: shape, gradient, kernel for the CPU. */
#include "core/ops/scale/scale.h"

#include "core/graph/op.h"

EadNode *ead_scale(EadGraph *graph, EadNode *x, double factor) {
    return ead_graph_add(graph, EAD_OP_scale, 1, (EadNode *[]){x}, &factor, sizeof factor);
}

static void gradient(EadGraph *graph, EadNode *node, EadNode *dy, EadNode **dx) {
    dx[0] = ead_scale(graph, dy, *(const double *)(const void *)node->attributes);
}

const EadOp ead_op_scale = {
    .name = "scale", .shape = ead_shape_like_first, .gradient = gradient, .in_place = 1};

static void scale(const EadCall *call) {
    const real *x = call->x[0]->data, factor = (real) * (const double *)call->attributes;
    real *y = call->y->data;
    int64_t count = ead_count(call->y);
#pragma omp parallel for simd schedule(static)
    for (int64_t i = 0; i < count; i++) y[i] = factor * x[i];
}

const EadKernel ead_scale_cpu = {.run = scale};
