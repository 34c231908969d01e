/* Shapes and gradient of ReLU. */
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
