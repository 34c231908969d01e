/* ReLU on CUDA: bound by memory bandwidth. */
#include "core/cuda/stored.cuh"

/* y[i] = max(x[i], 0); a NaN stays one. One thread eight elements. */
static __global__ void relu(int64_t count, EadStored x, EadStored y) {
    int64_t at = ead_thread() * EAD_GROUP;
    if (at >= count) return;
    float v[EAD_GROUP];
    int n = ead_group_size(at, count);
    ead_load(x, at, n, v);
#pragma unroll
    for (int k = 0; k < EAD_GROUP; k++) v[k] = v[k] < 0 ? 0 : v[k];
    ead_save(y, at, n, v);
}

/* dx[i] = dy[i] where y[i] > 0, else 0. One thread eight elements. */
static __global__ void relu_gradient(int64_t count, EadStored dy, EadStored y, EadStored dx) {
    int64_t at = ead_thread() * EAD_GROUP;
    if (at >= count) return;
    float d[EAD_GROUP], v[EAD_GROUP];
    int n = ead_group_size(at, count);
    ead_load(dy, at, n, d);
    ead_load(y, at, n, v);
#pragma unroll
    for (int k = 0; k < EAD_GROUP; k++) d[k] = v[k] > 0 ? d[k] : 0;
    ead_save(dx, at, n, d);
}

static void run(const EadCall *call) {
    int64_t count = ead_count(call->y);
    EAD_LAUNCH(relu, ead_group_blocks(count), EAD_GROUP_BLOCK, 0, call->stream, count, ead_stored(call->x[0]),
               ead_stored(call->y));
}

static void run_gradient(const EadCall *call) {
    int64_t count = ead_count(call->y);
    EAD_LAUNCH(relu_gradient, ead_group_blocks(count), EAD_GROUP_BLOCK, 0, call->stream, count,
               ead_stored(call->x[0]), ead_stored(call->x[1]), ead_stored(call->y));
}

EAD_CUDA_KERNEL(relu, .run = run, .half_in = 1, .half_out = true);
EAD_CUDA_KERNEL(relu_gradient, .run = run_gradient, .half_in = 3, .half_out = true);
