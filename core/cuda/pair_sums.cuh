/* Sums of each channel of u and of u v over all pixels on CUDA, one launch, the same bits each time. */
#pragma once

#include "core/cuda/reduce.cuh"

/* A block has EAD_PAIR_WIDE channels and every slices-th group of EAD_PAIR_HIGH rows. */
constexpr unsigned EAD_PAIR_WIDE = 32, EAD_PAIR_HIGH = EAD_REDUCE_BLOCK / EAD_PAIR_WIDE, EAD_PAIR_ROWS = 16,
                   EAD_PAIR_MAX_SLICES = 128;

typedef struct EadPairShape {
    int64_t rows;
    int channels;
    unsigned tiles, slices;
} EadPairShape;

/* What is made of the sums. */
typedef struct EadPairResult {
    bool moments; /* v is u: its mean and variance */
    float epsilon;
} EadPairResult;

static inline EadPairShape ead_pair_shape(const EadTensor *x) {
    EadPairShape s = {ead_count(x) / x->c, x->c, 0, 0};
    int64_t rows = EAD_PAIR_HIGH * EAD_PAIR_ROWS, slices = (s.rows + rows - 1) / rows;
    s.tiles = ead_blocks(x->c, EAD_PAIR_WIDE);
    s.slices = static_cast<unsigned>(slices < EAD_PAIR_MAX_SLICES ? slices : EAD_PAIR_MAX_SLICES);
    return s;
}

/* The block's sums over threadIdx.y of both values, in order, in the threads of its first row. */
static __device__ inline void ead_pair_sum_block(double v[2]) {
    __shared__ double parts[2][EAD_PAIR_HIGH][EAD_PAIR_WIDE];
    __syncthreads(); /* the last call's parts have been read */
    parts[0][threadIdx.y][threadIdx.x] = v[0];
    parts[1][threadIdx.y][threadIdx.x] = v[1];
    __syncthreads();
    if (threadIdx.y) return;
    for (unsigned y = 1; y < EAD_PAIR_HIGH; y++)
        for (int k = 0; k < 2; k++) v[k] += parts[k][y][threadIdx.x];
}

/* y[0,c] and y[1,c] are S0 = sum over rows of u and S1 = sum of u v. With statistics (of v) given S1 = sum of u (v -
 * mean[c]) / sqrt(variance[c] + epsilon), with result.moments mean and variance of u. In double. partials
 * [slices][2][channels]; the last block of a tile adds its slices up. */
static __global__ void ead_pair_sums_kernel(EadPairShape s, EadPairResult result, EadStored u, EadStored v,
                                            const float *statistics, double *partials, unsigned *counters,
                                            float *y) {
    int c = static_cast<int>(blockIdx.x * EAD_PAIR_WIDE + threadIdx.x);
    bool mine = c < s.channels;
    double sums[2] = {0, 0}, mean = statistics && mine ? static_cast<double>(statistics[c]) : 0;
    for (int64_t r = ead_first_row(); mine && r < s.rows; r += ead_row_step()) {
        double value = static_cast<double>(ead_get(u, r * s.channels + c));
        sums[0] += value;
        sums[1] += value * (static_cast<double>(ead_get(v, r * s.channels + c)) - mean);
    }
    ead_pair_sum_block(sums);
    for (int k = 0; k < 2; k++)
        if (threadIdx.y == 0 && mine)
            partials[(static_cast<int64_t>(blockIdx.y) * 2 + k) * s.channels + c] = sums[k];
    if (!ead_last_block(counters + blockIdx.x, s.slices)) return;
    sums[0] = sums[1] = 0;
    for (unsigned slice = threadIdx.y; mine && slice < s.slices; slice += EAD_PAIR_HIGH)
        for (int k = 0; k < 2; k++)
            sums[k] += __ldcg(partials + (static_cast<int64_t>(slice) * 2 + k) * s.channels + c);
    ead_pair_sum_block(sums);
    if (threadIdx.y || !mine) return;
    if (statistics) {
        sums[1] /= static_cast<double>(sqrtf(statistics[s.channels + c] + result.epsilon));
    } else if (result.moments) {
        sums[0] /= static_cast<double>(s.rows);
        sums[1] = sums[1] / static_cast<double>(s.rows) - sums[0] * sums[0];
        sums[1] = sums[1] < 0 ? 0 : sums[1];
    }
    y[c] = static_cast<float>(sums[0]);
    y[s.channels + c] = static_cast<float>(sums[1]);
}

static void ead_pair_sums_plan(EadCall *call) {
    EadPairShape s = ead_pair_shape(call->x[0]);
    call->workspace_bytes = s.slices * 2 * static_cast<size_t>(s.channels) * sizeof(double);
    call->state_bytes = s.tiles * sizeof(unsigned);
}

/* Of input 0 and v, into the call's output. statistics may be NULL. */
static void ead_pair_sums(const EadCall *call, const EadTensor *v, const float *statistics,
                          EadPairResult result) {
    EadPairShape s = ead_pair_shape(call->x[0]);
    EAD_LAUNCH(ead_pair_sums_kernel, dim3(s.tiles, s.slices), dim3(EAD_PAIR_WIDE, EAD_PAIR_HIGH), 0,
               call->stream, s, result, ead_stored(call->x[0]), ead_stored(v), statistics,
               static_cast<double *>(call->workspace), static_cast<unsigned *>(call->state),
               static_cast<float *>(call->y->data));
}
