/* Shape of the image normalisation, and its constants. */
#include "core/ops/normalize_image/normalize_image.h"

#include "core/graph/op.h"

const double ead_imagenet_mean[3] = {0.485, 0.456, 0.406};
const double ead_imagenet_std[3] = {0.229, 0.224, 0.225};

EadNode *ead_normalize_image(EadGraph *graph, EadNode *x) {
    return ead_graph_add(graph, EAD_OP_normalize_image, 1, (EadNode *[]){x}, NULL, 0);
}

static EadStatus shape(const EadNode *node, EadTensor *y) {
    const EadTensor *x = &node->x[0]->y;
    if (x->type != EAD_U8 || x->c != 3)
        return ead_fail(EAD_BAD_SHAPE, "%s: the input must be 8-bit with 3 channels, not %d", node->name,
                        x->c);
    *y = (EadTensor){EAD_REAL, x->n, x->h, x->w, 3, NULL};
    return EAD_OK;
}

const EadOp ead_op_normalize_image = {.name = "normalize_image", .shape = shape};
