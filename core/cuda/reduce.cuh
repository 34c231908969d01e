/* Sums over a whole tensor in one launch, the same bits each time: every block leaves a partial sum, and the
 * last block to finish, known by a counter, adds them up in their order. The number of blocks follows from
 * the size of the tensor and not from the GPU, so that all GPUs give the same bits. Summed in double, as on
 * the CPU. */
#pragma once

#include "core/cuda/stored.cuh"

constexpr int EAD_REDUCE_BLOCK = 256;
constexpr int64_t EAD_REDUCE_MAX_BLOCKS = 1024;

/* Blocks for count values: each thread has about two groups, until there are enough blocks for any GPU. */
static inline unsigned ead_reduce_blocks(int64_t count) {
    int64_t blocks = (count + 2 * EAD_GROUP * EAD_REDUCE_BLOCK - 1) / (2 * EAD_GROUP * EAD_REDUCE_BLOCK);
    return static_cast<unsigned>(blocks < EAD_REDUCE_MAX_BLOCKS ? blocks : EAD_REDUCE_MAX_BLOCKS);
}

/* Sum over the lanes of segments of `width` lanes, in all of them. All lanes of the warp must call it. */
template <typename T> static __device__ inline T ead_warp_sum(T v, int width = 32) {
    for (int bit = width / 2; bit > 0; bit /= 2) v += __shfl_xor_sync(~0u, v, bit, width);
    return v;
}

/* Sum over a block of EAD_REDUCE_BLOCK threads, in all of them. */
template <typename T> static __device__ inline T ead_block_sum(T v) {
    __shared__ T parts[EAD_REDUCE_BLOCK / 32];
    v = ead_warp_sum(v);
    __syncthreads(); /* the last call's parts have been read */
    if (threadIdx.x % 32 == 0) parts[threadIdx.x / 32] = v;
    __syncthreads();
    T sum = 0;
#pragma unroll
    for (int i = 0; i < EAD_REDUCE_BLOCK / 32; i++) sum += parts[i];
    return sum;
}

/* Whether this block is the last of `blocks` to come here; what the others wrote before can then be read, by
 * __ldcg. counter: 0 at first, and 0 again afterwards. All threads of the block must call it. */
static __device__ inline bool ead_last_block(unsigned *counter, unsigned blocks) {
    __shared__ bool last;
    __threadfence();
    __syncthreads();
    if (threadIdx.x == 0 && threadIdx.y == 0) last = atomicInc(counter, blocks - 1) == blocks - 1;
    __syncthreads();
    return last;
}

/* Sum of count partial sums that other blocks have written, in all threads of a block of EAD_REDUCE_BLOCK. */
template <typename T> static __device__ inline T ead_sum_partials(const T *partials, unsigned count) {
    T sum = 0;
    for (unsigned i = threadIdx.x; i < count; i += EAD_REDUCE_BLOCK) sum += __ldcg(partials + i);
    return ead_block_sum(sum);
}
