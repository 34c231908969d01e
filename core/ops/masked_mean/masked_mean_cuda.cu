/* Mean above a threshold on CUDA: bound by memory bandwidth. The gradient counts the selected elements in a
 * launch of its own, because all must be counted before the first is written. */
#include "core/cuda/reduce.cuh"

/* Sum and number of the selected elements that a block has met. */
typedef struct CudaMaskedSum {
    double sum;
    unsigned long long count;
} CudaMaskedSum;

/* The sum and number of all x[i] >= threshold, in all threads of the last block; elsewhere false is returned.
 * A thread takes every (threads of the grid)-th group of eight. */
static __device__ inline bool select_all(int64_t count, const EadStored &x, float threshold,
                                         CudaMaskedSum *partials, unsigned *counter, CudaMaskedSum *total) {
    CudaMaskedSum mine = {0, 0};
    int64_t step = static_cast<int64_t>(gridDim.x) * EAD_REDUCE_BLOCK * EAD_GROUP;
    for (int64_t at = ead_thread() * EAD_GROUP; at < count; at += step) {
        float v[EAD_GROUP];
        int n = ead_group_size(at, count);
        ead_load(x, at, n, v);
#pragma unroll
        for (int k = 0; k < EAD_GROUP; k++) {
            bool selected = k < n && v[k] >= threshold;
            mine.sum += selected ? static_cast<double>(v[k]) : 0;
            mine.count += selected;
        }
    }
    mine.sum = ead_block_sum(mine.sum);
    mine.count = ead_block_sum(mine.count);
    if (threadIdx.x == 0) partials[blockIdx.x] = mine;
    if (!ead_last_block(counter, gridDim.x)) return false;
    mine = CudaMaskedSum{0, 0};
    for (unsigned i = threadIdx.x; i < gridDim.x; i += EAD_REDUCE_BLOCK) {
        mine.sum += __ldcg(&partials[i].sum);
        mine.count += __ldcg(&partials[i].count);
    }
    total->sum = ead_block_sum(mine.sum);
    total->count = ead_block_sum(mine.count);
    return true;
}

/* y = the mean of all x[i] >= threshold, or where dy is given dy / their number: each one's share of it. */
static __global__ void masked_mean(int64_t count, EadStored x, const float *threshold, const float *dy,
                                   CudaMaskedSum *partials, unsigned *counter, float *y) {
    CudaMaskedSum total;
    if (!select_all(count, x, *threshold, partials, counter, &total) || threadIdx.x != 0) return;
    *y = dy ? *dy / static_cast<float>(total.count)
            : static_cast<float>(total.sum / static_cast<double>(total.count));
}

/* dx[i] = share where x[i] >= threshold, else 0; dx may be x. */
struct MaskedMeanGradientMap {
    const float *threshold, *share;
    __device__ float operator()(float x, float, float) const { return x >= *threshold ? *share : 0; }
};

/* The workspace: the blocks' partial results, then the share. */
static void plan(EadCall *call) {
    call->workspace_bytes = ead_reduce_blocks(ead_count(call->x[0])) * sizeof(CudaMaskedSum) + sizeof(float);
    call->state_bytes = sizeof(unsigned);
}

static void reduce(const EadCall *call, const EadTensor *dy, float *y) {
    int64_t count = ead_count(call->x[0]);
    EAD_LAUNCH(masked_mean, ead_reduce_blocks(count), EAD_REDUCE_BLOCK, 0, call->stream, count,
               ead_stored(call->x[0]), static_cast<const float *>(call->x[1]->data),
               dy ? static_cast<const float *>(dy->data) : NULL,
               static_cast<CudaMaskedSum *>(call->workspace), static_cast<unsigned *>(call->state), y);
}

static void run(const EadCall *call) {
    reduce(call, NULL, static_cast<float *>(call->y->data));
}

static void run_gradient(const EadCall *call) {
    CudaMaskedSum *partials = static_cast<CudaMaskedSum *>(call->workspace);
    float *share = reinterpret_cast<float *>(partials + ead_reduce_blocks(ead_count(call->y)));
    reduce(call, call->x[2], share);
    ead_map<1>(call, MaskedMeanGradientMap{static_cast<const float *>(call->x[1]->data), share});
}

EAD_CUDA_KERNEL(masked_mean, .run = run, .plan = plan);
EAD_CUDA_KERNEL(masked_mean_gradient, .run = run_gradient, .plan = plan);
