/* How a block multiplies, whatever its tiles are of: EadPixelBlock, EadWeightBlock. */
#pragma once

#include "core/cuda/mma.cuh"

/* The sums of a warp's part of the block's tile over the tiles of k of its split. Their stages lie in shared memory in a ring,
 * and all but one are copied ahead. */
template <typename Shape, typename Block, typename Task>
static __device__ inline void ead_multiply_block(Block &block, const Task &t, unsigned char *shared) {
    constexpr int STAGE = Block::STAGE, WARPS_N = Shape::n / Shape::warp_n;
#pragma unroll
    for (int k = 0; k < Shape::stages - 1; k++) block.copy(t, shared + k * STAGE);
    const int warp = static_cast<int>(threadIdx.x) / 32;
    const int warp_row = warp / WARPS_N * Shape::warp_m, warp_column = warp % WARPS_N * Shape::warp_n;
    float c[Shape::warp_m / 16][Shape::warp_n / 8][4] = {};
    int read = 0, write = Shape::stages - 1;
    for (int k = block.first; k < block.end; k++) {
        ead_copy_wait<Shape::stages - 2>();
        __syncthreads(); /* everybody's copies of this stage are there, and the stage read last is free */
        block.copy(t, shared + write * STAGE);
        block.multiply(c, shared + read * STAGE, warp_row, warp_column);
        read = read + 1 < Shape::stages ? read + 1 : 0;
        write = write + 1 < Shape::stages ? write + 1 : 0;
    }
    block.store(t, c, warp_row, warp_column);
}
