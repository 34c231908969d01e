/* Shape of the image. */
#include "core/ops/draw_gray/draw_gray.h"

#include "core/op.h"

EadNode *ead_draw_gray(EadGraph *graph, EadNode *x, EadNode *step, EadDrawGray draw) {
    return ead_graph_add(graph, EAD_OP_draw_gray, 2, (EadNode *[]){x, step}, &draw, sizeof draw);
}

const EadOp ead_op_draw_gray = {.name = "draw_gray", .shape = ead_shape_image_of_step};
