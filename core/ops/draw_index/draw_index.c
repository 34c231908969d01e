/* Shape of the draw. */
#include "core/ops/draw_index/draw_index.h"

#include "core/op.h"

EadNode *ead_draw_index(EadGraph *graph, EadNode *step, EadDrawIndex draw) {
    return ead_graph_add(graph, EAD_OP_draw_index, 1, (EadNode *[]){step}, &draw, sizeof draw);
}

static EadStatus shape(const EadNode *node, EadTensor *y) {
    const EadDrawIndex *draw = (const void *)node->attributes;
    const EadTensor *step = &node->x[0]->y;
    if (step->type != EAD_I64 || ead_count(step) != 1)
        return ead_fail(EAD_BAD_SHAPE, "draw_index: the step must be one counter");
    if (draw->count < 1 || draw->count > UINT32_C(1) << 31)
        return ead_fail(EAD_BAD_ARGUMENT, "draw_index: cannot draw from %u images", (unsigned)draw->count);
    *y = (EadTensor){EAD_I64, 1, 1, 1, 1, NULL};
    return EAD_OK;
}

const EadOp ead_op_draw_index = {.name = "draw_index", .shape = shape};
