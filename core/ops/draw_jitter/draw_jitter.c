/* Shape of the image. */
#include "core/ops/draw_jitter/draw_jitter.h"

#include "core/op.h"
#include "core/philox.h"

EadNode *ead_draw_jitter(EadGraph *graph, EadNode *x, EadNode *step, uint64_t seed) {
    EadDrawJitter draw = {seed, EAD_STREAM_AUGMENT};
    return ead_graph_add(graph, EAD_OP_draw_jitter, 2, (EadNode *[]){x, step}, &draw, sizeof draw);
}

static EadStatus shape(const EadNode *node, EadTensor *y) {
    EAD_TRY(ead_shape_image_of_step(node, y));
    if (y->n == 1) return EAD_OK;
    return ead_fail(EAD_BAD_SHAPE, "draw_jitter: one image is changed, not %d", y->n);
}

const EadOp ead_op_draw_jitter = {.name = "draw_jitter", .shape = shape};
