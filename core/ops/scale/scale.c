/* Shape and gradient of scaling by a constant. */
#include "core/ops/scale/scale.h"

#include "core/graph/op.h"

#include <string.h>

EadNode *ead_scale(EadGraph *graph, EadNode *x, double factor) {
    return ead_graph_add(graph, EAD_OP_scale, 1, (EadNode *[]){x}, &factor, sizeof factor);
}

static void gradient(EadGraph *graph, EadNode *node, EadNode *dy, EadNode **dx) {
    double factor;
    memcpy(&factor, node->attributes, sizeof factor);
    dx[0] = ead_scale(graph, dy, factor);
}

const EadOp ead_op_scale = {
    .name = "scale", .shape = ead_shape_like_first, .gradient = gradient, .in_place = 1};
