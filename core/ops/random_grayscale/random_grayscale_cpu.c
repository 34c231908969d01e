/* The gray image on the CPU. */
#include "core/image/color.h"
#include "core/graph/op.h"
#include "core/ops/random_grayscale/random_grayscale.h"
#include "core/base/philox.h"

#include <string.h>

static void random_grayscale(const EadCall *call) {
    const EadRandomGrayscale *draw = call->attributes;
    const int64_t *step = call->x[1]->data;
    uint32_t words[4];
    ead_philox(draw->seed, draw->stream, (uint64_t)*step + 1, words);
    memcpy(call->y->data, call->x[0]->data, ead_bytes(call->y));
    if (ead_uniform(words[0]) < draw->probability) ead_color_gray(call->y->data, ead_count(call->y) / 3);
}

const EadKernel ead_random_grayscale_cpu = {.run = random_grayscale};
