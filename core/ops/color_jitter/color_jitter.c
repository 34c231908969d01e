/* The jittered image: shape, kernel for the CPU. */
#include "core/ops/color_jitter/color_jitter.h"

#include "core/base/philox.h"
#include "core/graph/op.h"
#include "core/image/color.h"

#include <string.h>

EadNode *ead_random_color_jitter(EadGraph *graph, EadNode *x, EadNode *step, uint64_t seed) {
    EadDrawJitter draw = {seed, EAD_STREAM_AUGMENT};
    return ead_graph_add(graph, EAD_OP_color_jitter, 2, (EadNode *[]){x, step}, &draw, sizeof draw);
}

static EadStatus shape(const EadNode *node, EadTensor *y) {
    EAD_TRY(ead_shape_image_of_step(node, y));
    if (y->n == 1) return EAD_OK;
    return ead_fail(EAD_BAD_SHAPE, "color_jitter: one image is changed, not %d", y->n);
}

const EadOp ead_op_color_jitter = {.name = "color_jitter", .shape = shape};

static void color_jitter(const EadCall *call) {
    const EadDrawJitter *draw = call->attributes;
    const int64_t *step = call->x[1]->data;
    memcpy(call->y->data, call->x[0]->data, ead_bytes(call->y));
    ead_color_jitter(call->y->data, ead_count(call->y) / 3, draw->seed, (uint64_t)*step + 1);
}

const EadKernel ead_color_jitter_cpu = {.run = color_jitter};
