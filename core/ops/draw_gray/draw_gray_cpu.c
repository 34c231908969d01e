/* The gray image on the CPU. */
#include "core/color.h"
#include "core/op.h"
#include "core/ops/draw_gray/draw_gray.h"
#include "core/philox.h"

#include <string.h>

static void draw_gray(const EadCall *call) {
    const EadDrawGray *draw = call->attributes;
    const int64_t *step = call->x[1]->data;
    uint32_t words[4];
    ead_philox(draw->seed, draw->stream, (uint64_t)*step + 1, words);
    memcpy(call->y->data, call->x[0]->data, ead_bytes(call->y));
    if (ead_uniform(words[0]) < draw->probability) ead_color_gray(call->y->data, ead_count(call->y) / 3);
}

const EadKernel ead_draw_gray_cpu = {.run = draw_gray};
