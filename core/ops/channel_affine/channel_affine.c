/* Shapes and gradient of the per-channel affine map. */
#include "core/ops/channel_affine/channel_affine.h"

#include "core/graph/op.h"

EadNode *ead_channel_affine(EadGraph *graph, EadNode *x, EadNode *scale, EadNode *shift) {
    return ead_graph_add(graph, EAD_OP_channel_affine, 3, (EadNode *[]){x, scale, shift}, NULL, 0);
}

static EadStatus check_constant(const EadNode *node, const EadNode *constant, int channels) {
    const EadTensor *t = &constant->y;
    if (constant->needs_gradient)
        return ead_fail(EAD_BAD_ARGUMENT,
                        "%s: '%s' is trainable, but no gradient flows to scale and shift; pass a "
                        "plain leaf",
                        node->name, constant->name);
    if (t->type != EAD_REAL || ead_count(t) != channels || t->c != channels)
        return ead_fail(EAD_BAD_SHAPE, "%s: '%s' is [%d,%d,%d,%d] but must be [1,1,1,%d]", node->name,
                        constant->name, t->n, t->h, t->w, t->c, channels);
    return EAD_OK;
}

static EadStatus shape(const EadNode *node, EadTensor *y) {
    if (node->x[0]->y.type != EAD_F16) EAD_TRY(ead_shape_like_first(node, y));
    *y = node->x[0]->y;
    y->type = EAD_REAL;
    y->data = NULL;
    EAD_TRY(check_constant(node, node->x[1], y->c));
    return node->x[2] ? check_constant(node, node->x[2], y->c) : EAD_OK;
}

static void gradient(EadGraph *graph, EadNode *node, EadNode *dy, EadNode **dx) {
    dx[0] = ead_channel_affine(graph, dy, node->x[1], NULL);
}

const EadOp ead_op_channel_affine = {
    .name = "channel_affine", .shape = shape, .gradient = gradient, .in_place = 1};
