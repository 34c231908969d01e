/* The gathered image: shape, kernel for the CPU. */
#include "core/ops/gather_image/gather_image.h"

#include "core/graph/op.h"
#include "core/ops/copy_bytes.h"

EadNode *ead_gather_image(EadGraph *graph, EadNode *images, EadNode *index) {
    return ead_graph_add(graph, EAD_OP_gather_image, 2, (EadNode *[]){images, index}, NULL, 0);
}

static EadStatus shape(const EadNode *node, EadTensor *y) {
    const EadTensor *images = &node->x[0]->y, *index = &node->x[1]->y;
    if (images->type != EAD_REAL && images->type != EAD_U8)
        return ead_fail(EAD_BAD_SHAPE, "gather_image: the images must be real numbers or bytes");
    if (index->type != EAD_I64 || ead_count(index) != 1)
        return ead_fail(EAD_BAD_SHAPE, "gather_image: the index must be one I64 number");
    *y = (EadTensor){images->type, 1, images->h, images->w, images->c, NULL};
    return EAD_OK;
}

const EadOp ead_op_gather_image = {.name = "gather_image", .shape = shape};

static void gather_image(const EadCall *call) {
    int64_t index = *(const int64_t *)call->x[1]->data;
    size_t bytes = ead_bytes(call->y);
    ead_copy_bytes(call->y->data, (const unsigned char *)call->x[0]->data + (size_t)index * bytes, bytes);
}

const EadKernel ead_gather_image_cpu = {.run = gather_image};
