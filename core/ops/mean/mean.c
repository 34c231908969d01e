/* Shapes and gradient of the mean. */
#include "core/ops/mean/mean.h"

#include "core/graph/op.h"

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
