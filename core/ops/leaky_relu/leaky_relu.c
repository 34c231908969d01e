/* Leaky ReLU: shapes, gradient, kernels for the CPU. */
#include "core/ops/leaky_relu/leaky_relu.h"

#include "core/graph/op.h"

EadNode *ead_leaky_relu(EadGraph *graph, EadNode *x, double slope) {
    EadLeakyRelu attributes = {slope};
    return ead_graph_add(graph, EAD_OP_leaky_relu, 1, (EadNode *[]){x}, &attributes, sizeof attributes);
}

static EadStatus shape(const EadNode *node, EadTensor *y) {
    const EadLeakyRelu *a = (const void *)node->attributes;
    if (!(a->slope > 0 && a->slope < 1))
        return ead_fail(EAD_BAD_ARGUMENT, "%s: slope %g is outside (0,1)", node->name, a->slope);
    return ead_shape_like_first(node, y);
}

static void gradient(EadGraph *graph, EadNode *node, EadNode *dy, EadNode **dx) {
    dx[0] = ead_graph_add(graph, EAD_OP_leaky_relu_gradient, 2, (EadNode *[]){dy, node}, node->attributes,
                          sizeof(EadLeakyRelu));
}

const EadOp ead_op_leaky_relu = {.name = "leaky_relu", .shape = shape, .gradient = gradient, .in_place = 1};
const EadOp ead_op_leaky_relu_gradient = {
    .name = "leaky_relu_gradient", .shape = ead_shape_all_same, .in_place = 1};

static real slope_of(const EadCall *call) {
    return (real)((const EadLeakyRelu *)call->attributes)->slope;
}

static void leaky_relu(const EadCall *call) {
    const real *x = call->x[0]->data;
    real *y = call->y->data, slope = slope_of(call);
    int64_t count = ead_count(call->y);
#pragma omp parallel for simd schedule(static)
    for (int64_t i = 0; i < count; i++) y[i] = x[i] * (x[i] > 0 ? 1 : slope);
}

/* dx = dy where y > 0, else slope * dy: at 0, too, as in PyTorch. */
static void leaky_relu_gradient(const EadCall *call) {
    const real *dy = call->x[0]->data, *y = call->x[1]->data;
    real *dx = call->y->data, slope = slope_of(call);
    int64_t count = ead_count(call->y);
#pragma omp parallel for simd schedule(static)
    for (int64_t i = 0; i < count; i++) dx[i] = dy[i] * (y[i] > 0 ? 1 : slope);
}

const EadKernel ead_leaky_relu_cpu = {.run = leaky_relu};
const EadKernel ead_leaky_relu_gradient_cpu = {.run = leaky_relu_gradient};
