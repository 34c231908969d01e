/* The draw on the CPU. */
#include "core/op.h"
#include "core/ops/draw_index/draw_index.h"
#include "core/philox.h"

static void draw_index(const EadCall *call) {
    const EadDrawIndex *draw = call->attributes;
    const int64_t *step = call->x[0]->data, *count = call->x[1]->data;
    *(int64_t *)call->y->data =
        ead_shuffled_index(draw->seed, draw->stream, (uint64_t)*step, (uint32_t)*count);
}

const EadKernel ead_draw_index_cpu = {.run = draw_index};
