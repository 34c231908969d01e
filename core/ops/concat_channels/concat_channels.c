/* Shape of joined channels. */
#include "core/ops/concat_channels/concat_channels.h"

#include "core/graph/op.h"

EadNode *ead_concat_channels(EadGraph *graph, int count, EadNode *const parts[]) {
    return ead_graph_add(graph, EAD_OP_concat_channels, count, parts, NULL, 0);
}

static EadStatus shape(const EadNode *node, EadTensor *y) {
    EAD_TRY(ead_shape_like_first(node, y));
    for (int i = 1; i < EAD_MAX_INPUTS && node->x[i]; i++) {
        const EadTensor *x = &node->x[i]->y;
        if (x->type != EAD_REAL || x->n != y->n || x->h != y->h || x->w != y->w)
            return ead_fail(EAD_BAD_SHAPE, "concat_channels: maps [%d,%d,%d] and [%d,%d,%d] differ", y->n,
                            y->h, y->w, x->n, x->h, x->w);
        y->c += x->c;
    }
    return EAD_OK;
}

const EadOp ead_op_concat_channels = {.name = "concat_channels", .shape = shape};
