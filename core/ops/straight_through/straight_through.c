/* A view of x; only the way back differs. */
#include "core/ops/straight_through/straight_through.h"

#include "core/graph/op.h"

EadNode *ead_straight_through(EadGraph *graph, EadNode *x, EadNode *instead) {
    return ead_graph_add(graph, EAD_OP_straight_through, 2, (EadNode *[]){x, instead}, NULL, 0);
}

static EadStatus shape(const EadNode *node, EadTensor *y) {
    return node->x[1] ? ead_shape_all_same(node, y) : ead_shape_like_first(node, y);
}

static void gradient(EadGraph *graph, EadNode *node, EadNode *dy, EadNode **dx) {
    (void)graph;
    if (node->x[1]) dx[1] = dy;
}

const EadOp ead_op_straight_through = {
    .name = "straight_through", .shape = shape, .gradient = gradient, .alias = ead_alias_first};

const EadKernel ead_straight_through_cpu = {.run = NULL};
