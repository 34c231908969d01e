/* Dropout on the CPU: bound by the random numbers, four elements to a Philox block. */
#include "core/ops/dropout/dropout.h"

#include "core/graph/op.h"
#include "core/base/philox.h"

#include <math.h>

/* Elements 4*block .. 4*block+count-1. uniform >= p is decided on the 24 bits themselves: word >> 8 >= limit.
 */
static void drop_block(const real *x, real *y, int count, const uint32_t words[4], uint32_t limit,
                       real factor) {
    for (int k = 0; k < count; k++) y[k] = words[k] >> 8 >= limit ? x[k] * factor : 0;
}

static void dropout(const EadCall *call) {
    const EadDropout *a = call->attributes;
    const real *x = call->x[0]->data;
    real *y = call->y->data;
    int64_t count = ead_count(call->y), step = *(const int64_t *)call->x[1]->data;
    uint64_t first_block = (uint64_t)step << (EAD_DROPOUT_WORDS_LOG2 - 2);
    uint32_t limit = (uint32_t)ceil(a->probability * 0x1p24);
    real factor = (real)(1 / (1 - a->probability));
#pragma omp parallel for schedule(static)
    for (int64_t block = 0; block < (count + 3) / 4; block++) {
        uint32_t words[4];
        ead_philox(a->seed, a->stream, first_block + (uint64_t)block, words);
        int64_t at = 4 * block;
        drop_block(x + at, y + at, count - at < 4 ? (int)(count - at) : 4, words, limit, factor);
    }
}

const EadKernel ead_dropout_cpu = {.run = dropout};
