/* The squared difference: shapes, gradient, kernels for the CPU. */
#include "core/ops/squared_difference/squared_difference.h"

#include "core/graph/op.h"

EadNode *ead_squared_difference(EadGraph *graph, EadNode *a, EadNode *b) {
    return ead_graph_add(graph, EAD_OP_squared_difference, 2, (EadNode *[]){a, b}, NULL, 0);
}

/* sign * 2 (a - b) dy. dy comes first: it is the one that may be overwritten. */
static void gradient(EadGraph *graph, EadNode *node, EadNode *dy, EadNode **dx) {
    for (int i = 0; i < 2; i++) {
        EadSquaredDifference attributes = {i == 0 ? 1 : -1};
        if (node->x[i] && node->x[i]->needs_gradient)
            dx[i] = ead_graph_add(graph, EAD_OP_squared_difference_gradient, 3,
                                  (EadNode *[]){dy, node->x[0], node->x[1]}, &attributes, sizeof attributes);
    }
}

const EadOp ead_op_squared_difference = {
    .name = "squared_difference", .shape = ead_shape_all_same, .gradient = gradient, .in_place = 1};
const EadOp ead_op_squared_difference_gradient = {
    .name = "squared_difference_gradient", .shape = ead_shape_all_same, .in_place = 1};

static void squared_difference(const EadCall *call) {
    const real *a = call->x[0]->data, *b = call->x[1] ? call->x[1]->data : NULL;
    real *y = call->y->data;
    int64_t count = ead_count(call->y);
#pragma omp parallel for simd schedule(static)
    for (int64_t i = 0; i < count; i++) y[i] = b ? (a[i] - b[i]) * (a[i] - b[i]) : a[i] * a[i];
}

static void squared_difference_gradient(const EadCall *call) {
    const EadSquaredDifference *attributes = call->attributes;
    const real *dy = call->x[0]->data, *a = call->x[1]->data, *b = call->x[2] ? call->x[2]->data : NULL;
    real *dx = call->y->data, factor = (real)(2 * attributes->sign);
    int64_t count = ead_count(call->y);
#pragma omp parallel for simd schedule(static)
    for (int64_t i = 0; i < count; i++) dx[i] = factor * (b ? a[i] - b[i] : a[i]) * dy[i];
}

const EadKernel ead_squared_difference_cpu = {.run = squared_difference};
const EadKernel ead_squared_difference_gradient_cpu = {.run = squared_difference_gradient};
