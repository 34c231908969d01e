/* Shapes and gradient of the bilinear resize. */
#include "core/ops/resize_bilinear/resize_bilinear.h"

#include "core/graph/op.h"

EadNode *ead_resize_bilinear(EadGraph *graph, EadNode *x, int out_h, int out_w) {
    EadResizeBilinear attributes = {out_h, out_w};
    return ead_graph_add(graph, EAD_OP_resize_bilinear, 1, (EadNode *[]){x}, &attributes, sizeof attributes);
}

static EadStatus shape(const EadNode *node, EadTensor *y) {
    const EadResizeBilinear *a = (const void *)node->attributes;
    EAD_TRY(ead_shape_like_first(node, y));
    y->h = a->h;
    y->w = a->w;
    return EAD_OK;
}

static void gradient(EadGraph *graph, EadNode *node, EadNode *dy, EadNode **dx) {
    EadResizeBilinear attributes = {node->x[0]->y.h, node->x[0]->y.w};
    dx[0] = ead_graph_add(graph, EAD_OP_resize_bilinear_gradient, 1, (EadNode *[]){dy}, &attributes,
                          sizeof attributes);
}

const EadOp ead_op_resize_bilinear = {.name = "resize_bilinear", .shape = shape, .gradient = gradient};
const EadOp ead_op_resize_bilinear_gradient = {.name = "resize_bilinear_gradient", .shape = shape};
