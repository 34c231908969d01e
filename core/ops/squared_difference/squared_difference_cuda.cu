/* Squared difference on CUDA: bound by memory bandwidth. */
#include "core/cuda/stored.cuh"

#include "core/ops/squared_difference/squared_difference.h"

/* v = a - b, or a where b.data is NULL. */
static __device__ inline void difference(const EadStored &a, const EadStored &b, int64_t at, int n,
                                         float v[EAD_GROUP]) {
    float w[EAD_GROUP] = {0};
    ead_load(a, at, n, v);
    if (b.data) ead_load(b, at, n, w);
#pragma unroll
    for (int k = 0; k < EAD_GROUP; k++) v[k] -= w[k];
}

/* y[i] = (a[i] - b[i])². One thread eight elements. */
static __global__ void squared_difference(int64_t count, EadStored a, EadStored b, EadStored y) {
    int64_t at = ead_thread() * EAD_GROUP;
    if (at >= count) return;
    float v[EAD_GROUP];
    int n = ead_group_size(at, count);
    difference(a, b, at, n, v);
#pragma unroll
    for (int k = 0; k < EAD_GROUP; k++) v[k] *= v[k];
    ead_save(y, at, n, v);
}

/* dx[i] = factor (a[i] - b[i]) dy[i]. One thread eight elements. */
static __global__ void squared_difference_gradient(int64_t count, float factor, EadStored dy, EadStored a,
                                                   EadStored b, EadStored dx) {
    int64_t at = ead_thread() * EAD_GROUP;
    if (at >= count) return;
    float d[EAD_GROUP], v[EAD_GROUP];
    int n = ead_group_size(at, count);
    ead_load(dy, at, n, d);
    difference(a, b, at, n, v);
#pragma unroll
    for (int k = 0; k < EAD_GROUP; k++) v[k] = factor * v[k] * d[k];
    ead_save(dx, at, n, v);
}

static EadStored optional(const EadTensor *t) {
    return t ? ead_stored(t) : EadStored{NULL, EAD_REAL, false};
}

static void run(const EadCall *call) {
    int64_t count = ead_count(call->y);
    EAD_LAUNCH(squared_difference, ead_group_blocks(count), EAD_GROUP_BLOCK, 0, call->stream, count,
               ead_stored(call->x[0]), optional(call->x[1]), ead_stored(call->y));
}

static void run_gradient(const EadCall *call) {
    const EadSquaredDifference *a = static_cast<const EadSquaredDifference *>(call->attributes);
    int64_t count = ead_count(call->y);
    EAD_LAUNCH(squared_difference_gradient, ead_group_blocks(count), EAD_GROUP_BLOCK, 0, call->stream, count,
               static_cast<float>(2 * a->sign), ead_stored(call->x[0]), ead_stored(call->x[1]),
               optional(call->x[2]), ead_stored(call->y));
}

EAD_CUDA_KERNEL(squared_difference, .run = run, .half_in = 3);
EAD_CUDA_KERNEL(squared_difference_gradient, .run = run_gradient, .half_in = 6, .half_out = true);
