/* Mean on CUDA: bound by memory bandwidth; one launch. */
#include "core/cuda/reduce.cuh"

/* y = sum of x[i] / count. A thread sums every (threads of the grid)-th group of eight, in double; partials
 * has one sum a block. */
static __global__ void mean(int64_t count, EadStored x, double *partials, unsigned *counter, float *y) {
    double sum = 0;
    int64_t step = static_cast<int64_t>(gridDim.x) * EAD_REDUCE_BLOCK * EAD_GROUP;
    for (int64_t at = ead_thread() * EAD_GROUP; at < count; at += step) {
        float v[EAD_GROUP];
        ead_load(x, at, ead_group_size(at, count), v);
#pragma unroll
        for (int k = 0; k < EAD_GROUP; k++) sum += static_cast<double>(v[k]);
    }
    sum = ead_block_sum(sum);
    if (threadIdx.x == 0) partials[blockIdx.x] = sum;
    if (!ead_last_block(counter, gridDim.x)) return;
    sum = ead_sum_partials(partials, gridDim.x);
    if (threadIdx.x == 0) *y = static_cast<float>(sum / static_cast<double>(count));
}

/* dx[i] = dy / count. */
struct MeanGradientMap {
    const float *dy;
    float count;
    __device__ float operator()(float, float, float) const { return *dy / count; }
};

static void plan(EadCall *call) {
    call->workspace_bytes = ead_reduce_blocks(ead_count(call->x[0])) * sizeof(double);
    call->state_bytes = sizeof(unsigned);
}

static void run(const EadCall *call) {
    int64_t count = ead_count(call->x[0]);
    EAD_LAUNCH(mean, ead_reduce_blocks(count), EAD_REDUCE_BLOCK, 0, call->stream, count,
               ead_stored(call->x[0]), static_cast<double *>(call->workspace),
               static_cast<unsigned *>(call->state), static_cast<float *>(call->y->data));
}

static void run_gradient(const EadCall *call) {
    const float *dy = static_cast<const float *>(call->x[0]->data);
    ead_map<0>(call, MeanGradientMap{dy, static_cast<float>(ead_count(call->y))});
}

EAD_CUDA_KERNEL(mean, .run = run, .plan = plan);
EAD_CUDA_KERNEL(mean_gradient, .run = run_gradient);
