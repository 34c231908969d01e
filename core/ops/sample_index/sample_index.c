/* The drawn index: shape, kernel for the CPU. */
#include "core/ops/sample_index/sample_index.h"

#include "core/base/philox.h"
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

static void sample_index(const EadCall *call) {
    const EadSampleIndex *draw = call->attributes;
    const int64_t *step = call->x[0]->data, *count = call->x[1]->data;
    *(int64_t *)call->y->data =
        ead_shuffled_index(draw->seed, draw->stream, (uint64_t)*step, (uint32_t)*count);
}

const EadKernel ead_sample_index_cpu = {.run = sample_index};
