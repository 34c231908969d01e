/* Elementwise sum on CUDA: bound by memory bandwidth. */
#include "core/cuda/stored.cuh"

/* y[i] = a[i] + b[i]. One thread eight elements. */
static __global__ void add(int64_t count, EadStored a, EadStored b, EadStored y) {
    int64_t at = ead_thread() * EAD_GROUP;
    if (at >= count) return;
    float v[EAD_GROUP], w[EAD_GROUP];
    int n = ead_group_size(at, count);
    ead_load(a, at, n, v);
    ead_load(b, at, n, w);
#pragma unroll
    for (int k = 0; k < EAD_GROUP; k++) v[k] += w[k];
    ead_save(y, at, n, v);
}

static void run(const EadCall *call) {
    int64_t count = ead_count(call->y);
    EAD_LAUNCH(add, ead_group_blocks(count), EAD_GROUP_BLOCK, 0, call->stream, count, ead_stored(call->x[0]),
               ead_stored(call->x[1]), ead_stored(call->y));
}

EAD_CUDA_KERNEL(add, .run = run, .half_in = 3, .half_out = true);
