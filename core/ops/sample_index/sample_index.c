/* Shape of the draw. */
#include "core/ops/sample_index/sample_index.h"

#include "core/graph/op.h"

EadNode *ead_sample_index(EadGraph *graph, EadNode *step, EadNode *count, EadSampleIndex draw) {
    return ead_graph_add(graph, EAD_OP_sample_index, 2, (EadNode *[]){step, count}, &draw, sizeof draw);
}

static EadStatus shape(const EadNode *node, EadTensor *y) {
    for (int k = 0; k < 2; k++)
        if (node->x[k]->y.type != EAD_I64 || ead_count(&node->x[k]->y) != 1)
            return ead_fail(EAD_BAD_SHAPE, "sample_index: the %s must be one I64 number",
                            k ? "count" : "step");
    *y = (EadTensor){EAD_I64, 1, 1, 1, 1, NULL};
    return EAD_OK;
}

const EadOp ead_op_sample_index = {.name = "sample_index", .shape = shape};
