/* Dropout on CUDA: the same bits as on the CPU, bound by memory bandwidth beside the random numbers. */
#include "core/cuda/step_words.cuh"

#include "core/ops/dropout/dropout.h"

#include <math.h>

/* y[i] = x[i] factor where word i of the step is at least limit in its upper 24 bits, else 0. One thread
 * eight elements. */
static __global__ void dropout(int64_t count, uint64_t seed, uint64_t stream, uint32_t limit, float factor,
                               const int64_t *step, EadStored x, EadStored y) {
    int64_t at = ead_thread() * EAD_GROUP;
    if (at >= count) return;
    uint32_t words[EAD_GROUP];
    ead_group_words(seed, stream, *step, at, words);
    float v[EAD_GROUP];
    int n = ead_group_size(at, count);
    ead_load(x, at, n, v);
#pragma unroll
    for (int k = 0; k < EAD_GROUP; k++) v[k] = words[k] >> 8 >= limit ? v[k] * factor : 0;
    ead_save(y, at, n, v);
}

static void run(const EadCall *call) {
    const EadDropout *a = static_cast<const EadDropout *>(call->attributes);
    int64_t count = ead_count(call->y);
    uint32_t limit = static_cast<uint32_t>(ceil(a->probability * 0x1p24));
    float factor = static_cast<float>(1 / (1 - a->probability));
    EAD_LAUNCH(dropout, ead_group_blocks(count), EAD_GROUP_BLOCK, 0, call->stream, count, a->seed, a->stream,
               limit, factor, static_cast<const int64_t *>(call->x[1]->data), ead_stored(call->x[0]),
               ead_stored(call->y));
}

EAD_CUDA_KERNEL(dropout, .run = run, .half_in = 1, .half_out = true);
