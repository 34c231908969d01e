/* Shape of the quantile. */
#include "core/ops/quantile/quantile.h"

#include "core/graph/op.h"

EadNode *ead_quantile(EadGraph *graph, EadNode *x, double q) {
    EadQuantile attributes = {q};
    return ead_graph_add(graph, EAD_OP_quantile, 1, (EadNode *[]){x}, &attributes, sizeof attributes);
}

static EadStatus shape(const EadNode *node, EadTensor *y) {
    const EadQuantile *a = (const void *)node->attributes;
    EAD_TRY(ead_shape_like_first(node, y));
    if (!(a->q >= 0 && a->q <= 1))
        return ead_fail(EAD_BAD_ARGUMENT, "%s: q = %g is outside [0,1]", node->name, a->q);
    *y = (EadTensor){EAD_REAL, 1, 1, 1, 1, NULL};
    return EAD_OK;
}

const EadOp ead_op_quantile = {.name = "quantile", .shape = shape};
