/* Functions of single numbers: shapes, gradient, kernels for the CPU. */
#include "core/ops/pointwise/pointwise.h"

#include "core/graph/op.h"

#include <tgmath.h>

static EadNode *add_node(EadGraph *graph, EadNode *x, EadPointwise attributes) {
    return ead_graph_add(graph, EAD_OP_pointwise, 1, (EadNode *[]){x}, &attributes, sizeof attributes);
}

EadNode *ead_exp(EadGraph *graph, EadNode *x) {
    return add_node(graph, x, (EadPointwise){EAD_FUNCTION_EXP, 1});
}

EadNode *ead_log(EadGraph *graph, EadNode *x) {
    return add_node(graph, x, (EadPointwise){EAD_FUNCTION_LOG, 1});
}

EadNode *ead_sigmoid(EadGraph *graph, EadNode *x) {
    return add_node(graph, x, (EadPointwise){EAD_FUNCTION_SIGMOID, 1});
}

EadNode *ead_sqrt(EadGraph *graph, EadNode *x) {
    return add_node(graph, x, (EadPointwise){EAD_FUNCTION_SQRT, 1});
}

EadNode *ead_softplus(EadGraph *graph, EadNode *x, double beta) {
    return add_node(graph, x, (EadPointwise){EAD_FUNCTION_SOFTPLUS, beta});
}

static EadStatus shape(const EadNode *node, EadTensor *y) {
    const EadPointwise *a = (const void *)node->attributes;
    if (!(a->beta > 0)) return ead_fail(EAD_BAD_ARGUMENT, "softplus: beta %g is not above 0", a->beta);
    return ead_shape_like_first(node, y);
}

static void gradient(EadGraph *graph, EadNode *node, EadNode *dy, EadNode **dx) {
    dx[0] = ead_graph_add(graph, EAD_OP_pointwise_gradient, 2, (EadNode *[]){dy, node->x[0]},
                          node->attributes, sizeof(EadPointwise));
}

const EadOp ead_op_pointwise = {.name = "pointwise", .shape = shape, .gradient = gradient, .in_place = 1};
const EadOp ead_op_pointwise_gradient = {
    .name = "pointwise_gradient", .shape = ead_shape_all_same, .in_place = 1};

static real value_of(EadFunction function, real beta, real x) {
    if (function == EAD_FUNCTION_EXP) return exp(x);
    if (function == EAD_FUNCTION_LOG) return log(x);
    if (function == EAD_FUNCTION_SQRT) return sqrt(x);
    if (function == EAD_FUNCTION_SIGMOID) return 1 / (1 + exp(-x));
    real u = beta * x;
    return ((u > 0 ? u : 0) + log1p(exp(-fabs(u)))) / beta;
}

static real slope_of(EadFunction function, real beta, real x) {
    if (function == EAD_FUNCTION_EXP) return exp(x);
    if (function == EAD_FUNCTION_LOG) return 1 / x;
    if (function == EAD_FUNCTION_SQRT) return 1 / (2 * sqrt(x));
    real sigmoid = 1 / (1 + exp(-beta * x));
    return function == EAD_FUNCTION_SIGMOID ? sigmoid * (1 - sigmoid) : sigmoid;
}

static void pointwise(const EadCall *call) {
    const EadPointwise *a = call->attributes;
    const real *x = call->x[0]->data;
    real *y = call->y->data, beta = (real)a->beta;
    int64_t count = ead_count(call->y);
#pragma omp parallel for schedule(static)
    for (int64_t i = 0; i < count; i++) y[i] = value_of(a->function, beta, x[i]);
}

static void pointwise_gradient(const EadCall *call) {
    const EadPointwise *a = call->attributes;
    const real *dy = call->x[0]->data, *x = call->x[1]->data;
    real *dx = call->y->data, beta = (real)a->beta;
    int64_t count = ead_count(call->y);
#pragma omp parallel for schedule(static)
    for (int64_t i = 0; i < count; i++) dx[i] = dy[i] * slope_of(a->function, beta, x[i]);
}

const EadKernel ead_pointwise_cpu = {.run = pointwise};
const EadKernel ead_pointwise_gradient_cpu = {.run = pointwise_gradient};
