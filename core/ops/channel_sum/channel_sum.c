/* Shape of the channel sum. */
#include "core/ops/channel_sum/channel_sum.h"

#include "core/graph/op.h"

EadNode *ead_channel_sum(EadGraph *graph, EadNode *x) {
    return ead_graph_add(graph, EAD_OP_channel_sum, 1, (EadNode *[]){x}, NULL, 0);
}

static EadStatus shape(const EadNode *node, EadTensor *y) {
    *y = (EadTensor){EAD_REAL, 1, 1, 1, node->x[0]->y.c, NULL};
    return EAD_OK;
}

const EadOp ead_op_channel_sum = {.name = "channel_sum", .shape = shape};
