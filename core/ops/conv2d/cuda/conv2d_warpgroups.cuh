/* The tensor-core kernels of Hopper, for 16-bit operands: the blocks, copies and epilogues of
 * conv2d_pixel_tiles.cuh and conv2d_weight_tiles.cuh around products of warpgroups, which read both operands
 * where the copies put them. The whole of a file conv2d_<type>_wgmma_cuda.cu.
 *
 * A warpgroup computes 128 rows, as two products of 64. So that each thread gets the sums that it would have
 * of a warp with 32 rows, which the epilogues (pooling above all) count on, the rows are laid into the stage
 * in another order: product_row. */
#pragma once

#include "core/cuda/wgmma.cuh"
#include "core/ops/conv2d/cuda/conv2d_pixel_tiles.cuh"
#include "core/ops/conv2d/cuda/conv2d_weight_tiles.cuh"

template <int M, int N, int STAGES> struct EadGroupShape {
    static constexpr int m = M, n = N, warp_m = 32, warp_n = N, stages = STAGES;
    static constexpr int threads = M; /* a warpgroup for 128 rows */
    static constexpr int shared = STAGES * (M + N) * 128;

    /* Warp w of a warpgroup gets rows 16w to 16w + 15 of both products: rows 32w to 32w + 31 of the 128. */
    static __device__ int product_row(int stage_row) {
        const int product = stage_row % 128 / 64, warp = stage_row % 64 / 16;
        return stage_row / 128 * 128 + warp * 32 + product * 16 + stage_row % 16;
    }
};

/* c += the products of one stage of pixels and weights: k along the lines, 64 of them. */
template <typename T, typename Shape>
static __device__ inline void ead_group_multiply_stage(float (&c)[2][Shape::n / 8][4],
                                                       const unsigned char *stage) {
    const int group = static_cast<int>(threadIdx.x) / 128;
    const uint64_t a = ead_group_operand(stage + group * 128 * 128, 16, EAD_PATTERN);
    const uint64_t b = ead_group_operand(stage + Shape::m * 128, 16, EAD_PATTERN);
#pragma unroll
    for (int step = 0; step < 4; step++)
#pragma unroll
        for (int i = 0; i < 2; i++)
            ead_group_multiply<T, false>(c[i], ead_group_operand_at(a, i * 64 * 128 + step * 32),
                                         ead_group_operand_at(b, step * 32));
}

/* The same of dy and x: a line is a pixel, k. */
template <typename T, typename Shape>
static __device__ inline void ead_group_multiply_pixel_stage(float (&c)[2][Shape::n / 8][4],
                                                             const unsigned char *stage) {
    constexpr int SEGMENT = EAD_STAGE_PIXELS<T> * 128;
    const int group = static_cast<int>(threadIdx.x) / 128;
    const uint64_t a = ead_group_operand(stage + group * 2 * SEGMENT, SEGMENT, EAD_PATTERN);
    const uint64_t b = ead_group_operand(stage + Shape::m / 64 * SEGMENT, SEGMENT, EAD_PATTERN);
#pragma unroll
    for (int pixel = 0; pixel < EAD_STAGE_PIXELS<T>; pixel += 16)
#pragma unroll
        for (int i = 0; i < 2; i++)
            ead_group_multiply<T, true>(c[i], ead_group_operand_at(a, i * SEGMENT + pixel * 128),
                                        ead_group_operand_at(b, pixel * 128));
}

/* c = all products of a block. The products of two stages are under way at a time: while one stage is read,
 * the next are being filled, and the one that was read last is not yet free. So copies run two stages less
 * ahead than there are, where those for mma.sync run one less. */
template <typename Shape, typename Block, typename Task, typename Multiply>
static __device__ inline void ead_group_pipeline(float (&c)[2][Shape::n / 8][4], Block &block, const Task &t,
                                                 unsigned char *shared, Multiply multiply) {
    constexpr int AHEAD = Shape::stages - 2;
#pragma unroll
    for (int k = 0; k < AHEAD; k++) block.copy(t, shared + k * Block::STAGE);
    ead_group_begin(c);
    int read = 0, write = AHEAD;
    for (int k = block.first; k < block.end; k++) {
        ead_copy_wait<AHEAD - 1>();
        ead_fence_async_proxy();
        __syncthreads(); /* everybody's copies of this stage are there, the stage before the last is free */
        ead_group_fence();
        multiply(c, shared + read * Block::STAGE);
        ead_group_commit();
        block.copy(t, shared + write * Block::STAGE);
        ead_group_wait<1>();
        read = read + 1 < Shape::stages ? read + 1 : 0;
        write = write + 1 < Shape::stages ? write + 1 : 0;
    }
    ead_group_finish(c);
}

/* Grids as of ead_multiply_pixels and ead_multiply_weights. */
template <typename T, typename Shape>
static __global__ void __launch_bounds__(Shape::threads) ead_multiply_pixels_wgmma(EadConvTask t) {
    EAD_DYNAMIC_SHARED(unsigned char, shared);
    EadPixelBlock<T, Shape, 16> block;
    if (!block.begin(t)) return;
    float c[2][Shape::n / 8][4] = {};
    ead_group_pipeline<Shape>(c, block, t, shared, ead_group_multiply_stage<T, Shape>);
    block.store(t, c, static_cast<int>(threadIdx.x) / 32 * 32, 0);
}

template <typename T, typename Shape>
static __global__ void __launch_bounds__(Shape::threads) ead_multiply_weights_wgmma(EadConvWeightTask t) {
    EAD_DYNAMIC_SHARED(unsigned char, shared);
    EadWeightBlock<T, Shape, 16> block;
    block.begin(t);
    float c[2][Shape::n / 8][4] = {};
    ead_group_pipeline<Shape>(c, block, t, shared, ead_group_multiply_pixel_stage<T, Shape>);
    block.store(t, c, static_cast<int>(threadIdx.x) / 32 * 32, 0);
}

template <typename T> static void ead_launch_pixel_groups(const EadConvTask &task, int tile, void *stream) {
    switch (tile) {
#define TILE(m, n, stages, rate)                                                                             \
    case EAD_CONV_WGMMA_##m##x##n:                                                                           \
        return ead_launch_pixels<EadGroupShape<m, n, stages>>(                                               \
            ead_multiply_pixels_wgmma<T, EadGroupShape<m, n, stages>>, task, stream);
        EAD_CONV_WGMMA_TILES(TILE)
#undef TILE
    }
}

template <typename T>
static void ead_launch_weight_groups(const EadConvWeightTask &task, int tile, void *stream) {
    switch (tile) {
#define TILE(m, n, stages, rate)                                                                             \
    case EAD_CONV_WGMMA_##m##x##n:                                                                           \
        return ead_launch_weights<EadGroupShape<m, n, stages>>(                                              \
            ead_multiply_weights_wgmma<T, EadGroupShape<m, n, stages>>, task, stream);
        EAD_CONV_WGMMA_TILES(TILE)
#undef TILE
    }
}

#define EAD_CONV_DEFINE_WGMMA_LAUNCHERS(name, T)                                                             \
    void ead_conv_multiply_##name##_wgmma(const EadConvTask &task, int tile, void *stream) {                 \
        ead_launch_pixel_groups<T>(task, tile, stream);                                                      \
    }                                                                                                        \
    void ead_conv_multiply_weight_##name##_wgmma(const EadConvWeightTask &task, int tile, void *stream) {    \
        ead_launch_weight_groups<T>(task, tile, stream);                                                     \
    }
