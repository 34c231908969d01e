/* Shapes and gradient of the mean above a threshold; the hard feature loss. */
#include "core/ops/masked_mean/masked_mean.h"

#include "core/graph/op.h"
#include "core/ops/quantile/quantile.h"

EadNode *ead_masked_mean(EadGraph *graph, EadNode *x, EadNode *threshold) {
    return ead_graph_add(graph, EAD_OP_masked_mean, 2, (EadNode *[]){x, threshold}, NULL, 0);
}

EadNode *ead_hard_feature_loss(EadGraph *graph, EadNode *d, double q) {
    return ead_masked_mean(graph, d, ead_quantile(graph, d, q));
}

static EadStatus check_scalars(const EadNode *node) {
    for (int i = 1; i < EAD_MAX_INPUTS && node->x[i]; i++)
        if (node->x[i]->y.type != EAD_REAL || ead_count(&node->x[i]->y) != 1)
            return ead_fail(EAD_BAD_SHAPE, "%s: the threshold must be a scalar", node->name);
    return EAD_OK;
}

static EadStatus shape(const EadNode *node, EadTensor *y) {
    EAD_TRY(ead_shape_like_first(node, y));
    *y = (EadTensor){EAD_REAL, 1, 1, 1, 1, NULL};
    return check_scalars(node);
}

static EadStatus gradient_shape(const EadNode *node, EadTensor *dx) {
    EAD_TRY(ead_shape_like_first(node, dx));
    return check_scalars(node);
}

static void gradient(EadGraph *graph, EadNode *node, EadNode *dy, EadNode **dx) {
    dx[0] = ead_graph_add(graph, EAD_OP_masked_mean_gradient, 3, (EadNode *[]){node->x[0], node->x[1], dy},
                          NULL, 0);
}

const EadOp ead_op_masked_mean = {.name = "masked_mean", .shape = shape, .gradient = gradient};
/* May overwrite x: it has counted all of x before it writes. */
const EadOp ead_op_masked_mean_gradient = {
    .name = "masked_mean_gradient", .shape = gradient_shape, .in_place = 1};
