/* Rows by rank on CUDA: a block a query, which measures all rows, then finds the rank bit by bit: how many keys have a 0 where
 * those before were decided says what the bit of the wanted key is. A key is a distance, and behind it the row's number. */
#include "core/cuda/reduce.cuh"

#include "core/ops/ranked_rows/ranked_rows.h"

enum { WARP = 32, NUMBER_BITS = 13 };
static_assert(EAD_RANKED_MAX_ROWS == 1 << NUMBER_BITS, "rows are numbered in so many bits");

typedef struct CudaRanked {
    int rows, length;
} CudaRanked;

/* Larger for a larger value. */
static __device__ inline unsigned ordered(float v) {
    unsigned bits = __float_as_uint(v);
    return bits & 0x80000000u ? ~bits : bits | 0x80000000u;
}

/* values[r] = |m|² - 2 q m, a warp a row. */
static __device__ void measure(const CudaRanked &s, const float *query, const float *table, float *values) {
    int lane = static_cast<int>(threadIdx.x) % WARP;
    for (int row = static_cast<int>(threadIdx.x) / WARP; row < s.rows; row += EAD_REDUCE_BLOCK / WARP) {
        const float *m = table + static_cast<int64_t>(row) * s.length;
        float norm = 0, product = 0;
        for (int k = lane; k < s.length; k += WARP) {
            norm += m[k] * m[k];
            product += query[k] * m[k];
        }
        norm = ead_warp_sum(norm);
        product = ead_warp_sum(product);
        if (lane == 0) values[row] = norm - 2 * product;
    }
}

static __global__ void ranked(CudaRanked s, EadStored queries, const float *table, const float *ranks,
                              EadStored out) {
    __shared__ float query[EAD_RANKED_MAX_LENGTH], values[EAD_RANKED_MAX_ROWS];
    int64_t q = blockIdx.x;
    for (int k = static_cast<int>(threadIdx.x); k < s.length; k += EAD_REDUCE_BLOCK)
        query[k] = ead_get(queries, q * s.length + k);
    __syncthreads();
    measure(s, query, table, values);
    __syncthreads();
    float rank = ranks ? __ldg(ranks + q) : 0;
    int odd = rank >= 0 && rank < static_cast<float>(s.rows) ? 0 : 1;
    for (int row = static_cast<int>(threadIdx.x); row < s.rows; row += EAD_REDUCE_BLOCK)
        odd += isfinite(values[row]) ? 0 : 1;
    odd = ead_block_sum(odd);
    int left = odd ? 0 : static_cast<int>(rank);
    uint64_t decided = 0, mask = 0;
    for (int bit = 63; !odd && bit >= 0; bit = bit == WARP ? NUMBER_BITS - 1 : bit - 1) {
        uint64_t one = static_cast<uint64_t>(1) << bit;
        int zeros = 0;
        mask |= one;
        for (int row = static_cast<int>(threadIdx.x); row < s.rows; row += EAD_REDUCE_BLOCK) {
            uint64_t key =
                static_cast<uint64_t>(ordered(values[row] + 0.0f)) << 32 | static_cast<unsigned>(row);
            zeros += (key & mask) == decided ? 1 : 0;
        }
        zeros = ead_block_sum(zeros);
        if (left >= zeros) left -= zeros, decided |= one;
    }
    if (threadIdx.x == 0)
        ead_put(out, q,
                odd ? static_cast<float>(s.rows) : static_cast<float>(static_cast<unsigned>(decided)));
}

static void plan(EadCall *call) {
    call->multiply_adds = static_cast<double>(ead_count(call->x[0])) * call->x[1]->n;
}

static void run(const EadCall *call) {
    CudaRanked s = {call->x[1]->n, call->x[1]->c};
    EAD_LAUNCH(ranked, static_cast<unsigned>(ead_count(call->y)), EAD_REDUCE_BLOCK, 0, call->stream, s,
               ead_stored(call->x[0]), static_cast<const float *>(call->x[1]->data),
               call->x[2] ? static_cast<const float *>(call->x[2]->data) : NULL, ead_stored(call->y));
}

EAD_CUDA_KERNEL(ranked_rows, .run = run, .plan = plan, .half_in = 1);
