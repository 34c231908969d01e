/* Shape of the image. */
#include "core/ops/random_grayscale/random_grayscale.h"

#include "core/graph/op.h"

EadNode *ead_random_grayscale(EadGraph *graph, EadNode *x, EadNode *step, EadRandomGrayscale draw) {
    return ead_graph_add(graph, EAD_OP_random_grayscale, 2, (EadNode *[]){x, step}, &draw, sizeof draw);
}

const EadOp ead_op_random_grayscale = {.name = "random_grayscale", .shape = ead_shape_image_of_step};
