/* The draw on the CPU. */
#include "core/op.h"
#include "core/ops/draw_index/draw_index.h"
#include "core/philox.h"

static void draw_index(const EadCall *call) {
    const EadDrawIndex *draw = call->attributes;
    uint64_t step = (uint64_t) * (const int64_t *)call->x[0]->data;
    *(int64_t *)call->y->data = ead_shuffled_index(draw->seed, draw->stream, step, draw->count);
}

const EadKernel ead_draw_index_cpu = {.run = draw_index};
