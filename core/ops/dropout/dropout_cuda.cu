/* Dropout on CUDA: the same bits as on the CPU, bound by memory bandwidth beside the random numbers. */
#include "core/cuda/step_words.cuh"

#include "core/ops/dropout/dropout.h"

#include <math.h>

/* y[i] = x[i] factor where word i of the step is at least limit in its upper 24 bits, else 0. */
static __global__ void dropout(EadStepWords drawn, uint32_t limit, float factor) {
    EadDrawnGroup g;
    if (!ead_draw_group(drawn, g)) return;
#pragma unroll
    for (int k = 0; k < EAD_GROUP; k++) g.v[k] = g.words[k] >> 8 >= limit ? g.v[k] * factor : 0;
    ead_save(drawn.y, g.at, g.n, g.v);
}

static void run(const EadCall *call) {
    const EadDropout *a = static_cast<const EadDropout *>(call->attributes);
    EadStepWords drawn = ead_step_words(call, a->seed, a->stream);
    uint32_t limit = static_cast<uint32_t>(ceil(a->probability * 0x1p24));
    float factor = static_cast<float>(1 / (1 - a->probability));
    EAD_LAUNCH(dropout, ead_group_blocks(drawn.count), EAD_GROUP_BLOCK, 0, call->stream, drawn, limit,
               factor);
}

EAD_CUDA_KERNEL(dropout, .run = run, .half_in = 1, .half_out = true);
