/* Scaling on CUDA: bound by memory bandwidth. */
#include "core/cuda/stored.cuh"

/* y[i] = factor x[i]. One thread eight elements. */
static __global__ void scale(int64_t count, float factor, EadStored x, EadStored y) {
    int64_t at = ead_thread() * EAD_GROUP;
    if (at >= count) return;
    float v[EAD_GROUP];
    int n = ead_group_size(at, count);
    ead_load(x, at, n, v);
#pragma unroll
    for (int k = 0; k < EAD_GROUP; k++) v[k] *= factor;
    ead_save(y, at, n, v);
}

static void run(const EadCall *call) {
    int64_t count = ead_count(call->y);
    float factor = static_cast<float>(*static_cast<const double *>(call->attributes));
    EAD_LAUNCH(scale, ead_group_blocks(count), EAD_GROUP_BLOCK, 0, call->stream, count, factor,
               ead_stored(call->x[0]), ead_stored(call->y));
}

EAD_CUDA_KERNEL(scale, .run = run, .half_in = 1, .half_out = true);
