/* Colour jitter on the CPU. */
#include "core/image/color.h"
#include "core/graph/op.h"
#include "core/ops/color_jitter/color_jitter.h"

#include <string.h>

static void color_jitter(const EadCall *call) {
    const EadDrawJitter *draw = call->attributes;
    const int64_t *step = call->x[1]->data;
    memcpy(call->y->data, call->x[0]->data, ead_bytes(call->y));
    ead_color_jitter(call->y->data, ead_count(call->y) / 3, draw->seed, (uint64_t)*step + 1);
}

const EadKernel ead_color_jitter_cpu = {.run = color_jitter};
