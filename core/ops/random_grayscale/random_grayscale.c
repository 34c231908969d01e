/* The gray or unchanged image: shape, kernel for the CPU. */
#include "core/ops/random_grayscale/random_grayscale.h"

#include "core/base/philox.h"
#include "core/graph/op.h"
#include "core/image/color.h"

#include <string.h>

EadNode *ead_random_grayscale(EadGraph *graph, EadNode *x, EadNode *step, EadRandomGrayscale draw) {
    return ead_graph_add(graph, EAD_OP_random_grayscale, 2, (EadNode *[]){x, step}, &draw, sizeof draw);
}

const EadOp ead_op_random_grayscale = {.name = "random_grayscale", .shape = ead_shape_image_of_step};

static void random_grayscale(const EadCall *call) {
    const EadRandomGrayscale *draw = call->attributes;
    const int64_t *step = call->x[1]->data;
    uint32_t words[4];
    ead_philox(draw->seed, draw->stream, (uint64_t)*step + 1, words);
    memcpy(call->y->data, call->x[0]->data, ead_bytes(call->y));
    if (ead_uniform(words[0]) < draw->probability) ead_color_gray(call->y->data, ead_count(call->y) / 3);
}

const EadKernel ead_random_grayscale_cpu = {.run = random_grayscale};
