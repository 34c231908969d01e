/* Normal noise on CUDA: the same random words as on the CPU. */
#include "core/cuda/step_words.cuh"

#include "core/ops/noise_normal/noise_normal.h"
#include "core/base/philox.h"

#include <math.h>

/* y[i] = x[i] + deviation n[i], n[2k] and n[2k + 1] from words 2k and 2k + 1 of the step. */
static __global__ void noise_normal(EadStepWords drawn, float deviation) {
    EadDrawnGroup g;
    if (!ead_draw_group(drawn, g)) return;
#pragma unroll
    for (int k = 0; k < EAD_GROUP; k += 2) {
        float radius = sqrtf(-2 * logf(ead_uniform(g.words[k]) + 0x1p-24f));
        float angle = 6.2831853f * ead_uniform(g.words[k + 1]);
        g.v[k] += deviation * (radius * cosf(angle));
        g.v[k + 1] += deviation * (radius * sinf(angle));
    }
    ead_save(drawn.y, g.at, g.n, g.v);
}

static void run(const EadCall *call) {
    const EadNoiseNormal *a = static_cast<const EadNoiseNormal *>(call->attributes);
    EadStepWords drawn = ead_step_words(call, a->seed, EAD_STREAM_NOISE);
    EAD_LAUNCH(noise_normal, ead_group_blocks(drawn.count), EAD_GROUP_BLOCK, 0, call->stream, drawn,
               static_cast<float>(a->deviation));
}

EAD_CUDA_KERNEL(noise_normal, .run = run, .half_in = 1, .half_out = true);
