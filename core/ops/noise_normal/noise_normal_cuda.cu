/* Normal noise on CUDA: the same random words as on the CPU. */
#include "core/cuda/step_words.cuh"

#include "core/ops/noise_normal/noise_normal.h"
#include "core/base/philox.h"

#include <math.h>

/* y[i] = x[i] + deviation n[i], n[2k] and n[2k + 1] from words 2k and 2k + 1 of the step. One thread eight
 * elements. */
static __global__ void noise_normal(int64_t count, uint64_t seed, float deviation, const int64_t *step,
                                    EadStored x, EadStored y) {
    int64_t at = ead_thread() * EAD_GROUP;
    if (at >= count) return;
    uint32_t words[EAD_GROUP];
    ead_group_words(seed, EAD_STREAM_NOISE, *step, at, words);
    float v[EAD_GROUP];
    int n = ead_group_size(at, count);
    ead_load(x, at, n, v);
#pragma unroll
    for (int k = 0; k < EAD_GROUP; k += 2) {
        float radius = sqrtf(-2 * logf(ead_uniform(words[k]) + 0x1p-24f));
        float angle = 6.2831853f * ead_uniform(words[k + 1]);
        v[k] += deviation * (radius * cosf(angle));
        v[k + 1] += deviation * (radius * sinf(angle));
    }
    ead_save(y, at, n, v);
}

static void run(const EadCall *call) {
    const EadNoiseNormal *a = static_cast<const EadNoiseNormal *>(call->attributes);
    int64_t count = ead_count(call->y);
    EAD_LAUNCH(noise_normal, ead_group_blocks(count), EAD_GROUP_BLOCK, 0, call->stream, count, a->seed,
               static_cast<float>(a->deviation), static_cast<const int64_t *>(call->x[1]->data),
               ead_stored(call->x[0]), ead_stored(call->y));
}

EAD_CUDA_KERNEL(noise_normal, .run = run, .half_in = 1, .half_out = true);
