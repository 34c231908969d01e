/* ReLU: shapes, gradient, kernels for the CPU. */
#include "core/ops/relu/relu.h"

#include "core/graph/op.h"

EadNode *ead_relu(EadGraph *graph, EadNode *x) {
    return ead_graph_add(graph, EAD_OP_relu, 1, (EadNode *[]){x}, NULL, 0);
}

EadNode *ead_relu_gradient(EadGraph *graph, EadNode *dy, EadNode *y) {
    return ead_graph_add(graph, EAD_OP_relu_gradient, 2, (EadNode *[]){dy, y}, NULL, 0);
}

static void gradient(EadGraph *graph, EadNode *node, EadNode *dy, EadNode **dx) {
    dx[0] = ead_relu_gradient(graph, dy, node);
}

const EadOp ead_op_relu = {
    .name = "relu", .shape = ead_shape_like_first, .gradient = gradient, .in_place = 1};
const EadOp ead_op_relu_gradient = {.name = "relu_gradient", .shape = ead_shape_all_same, .in_place = 1};

static void relu(const EadCall *call) {
    const real *x = call->x[0]->data;
    real *y = call->y->data;
    int64_t count = ead_count(call->y);
#pragma omp parallel for simd schedule(static)
    for (int64_t i = 0; i < count; i++) y[i] = x[i] < 0 ? 0 : x[i]; /* a NaN stays one */
}

static void relu_gradient(const EadCall *call) {
    const real *dy = call->x[0]->data, *y = call->x[1]->data;
    real *dx = call->y->data;
    int64_t count = ead_count(call->y);
#pragma omp parallel for simd schedule(static)
    for (int64_t i = 0; i < count; i++) {
        real d = dy[i]; /* loaded in any case, or the loop would not become a vector loop */
        dx[i] = y[i] > 0 ? d : 0;
    }
}

const EadKernel ead_relu_cpu = {.run = relu};
const EadKernel ead_relu_gradient_cpu = {.run = relu_gradient};
