/* The tensor-core kernel of the forward convolution and the input gradient: implicit GEMM.
 *
 * A block computes a tile of [target pixels, target channels]. 128 bytes of k at a time, the gathered pixels
 * and the weights travel by asynchronous copies into a ring of stages in shared memory, one barrier a stage;
 * warps load fragments and multiply. Stage: [m + n] rows of 128 bytes, whose eight 16-byte chunks are
 * exchanged by chunk ^ (row % 8), so that neither the copies nor the eight rows of a fragment meet in one
 * bank. */
#pragma once

#include "core/cuda/mma.cuh"
#include "core/ops/conv2d/cuda/conv2d_block.cuh"
#include "core/ops/conv2d/cuda/conv2d_kernel_args.cuh"

/* Brings rows of gathered pixels: a thread has one chunk of k and every STEP-th row. */
template <typename T, typename Shape, int COPY> struct EadPixelLoader {
    static constexpr int CHUNKS = 128 / COPY, STEP = Shape::threads / CHUNKS, COUNT = Shape::m / STEP;
    int y[COUNT], x[COUNT], origin[COUNT];       /* source position of tap 0, and its pixel number */
    int first_y, first_x, tap_y, tap_x, channel; /* of the thread's chunk, in the first and this tile of k */
    int tap_tile, tap_tiles;

    __device__ void begin(const EadConvTask &t, const EadConvPhase &p, int row, int tile) {
        const EadConvView &v = t.view;
        for (int i = 0; i < COUNT; i++) {
            const int stage_row = static_cast<int>(threadIdx.x) / CHUNKS + i * STEP;
            EadConvPixel q = ead_conv_row(v, p, row + Shape::product_row(stage_row));
            y[i] = q.valid ? q.y * p.y.step + p.y.base : INT32_MIN / 2; /* outside, whatever the tap */
            x[i] = q.x * p.x.step + p.x.base;
            origin[i] = q.valid ? (q.image * v.h + y[i]) * v.w + x[i] : 0;
        }
        int within = static_cast<int>(threadIdx.x) % CHUNKS * COPY / static_cast<int>(sizeof(T));
        int tap = within / t.order.group;
        tap_tiles = (p.y.taps * p.x.taps + t.order.taps - 1) / t.order.taps;
        tap_tile = tile % tap_tiles;
        channel = within % t.order.group + tile / tap_tiles * t.order.group;
        first_y = tap / p.x.taps;
        first_x = tap % p.x.taps;
        tap += tap_tile * t.order.taps;
        tap_y = tap / p.x.taps;
        tap_x = tap % p.x.taps;
    }

    __device__ void copy(const EadConvTask &t, const EadConvPhase &p, unsigned char *stage) {
        const EadConvView &v = t.view;
        const int row = static_cast<int>(threadIdx.x) / CHUNKS,
                  byte = static_cast<int>(threadIdx.x) % CHUNKS * COPY;
        const bool there = tap_y < p.y.taps && channel < v.c;
        const int offset = tap_y * v.w + tap_x;
        stage += row * 128 + ((byte / 16 ^ row % 8) << 4) + byte % 16;
#pragma unroll
        for (int i = 0; i < COUNT; i++) {
            bool inside = there && static_cast<unsigned>(y[i] + tap_y) < static_cast<unsigned>(v.h) &&
                          static_cast<unsigned>(x[i] + tap_x) < static_cast<unsigned>(v.w);
            const T *from = static_cast<const T *>(t.source);
            if (inside) from += static_cast<int64_t>(origin[i] + offset) * v.c + channel;
            ead_copy_async<COPY>(stage + i * STEP * 128, from, inside);
        }
        advance(t, p);
    }

    __device__ void advance(const EadConvTask &t, const EadConvPhase &p) {
        if (++tap_tile == tap_tiles) {
            tap_tile = 0;
            channel += t.order.group;
            tap_y = first_y;
            tap_x = first_x;
        } else {
            for (tap_x += t.order.taps; tap_x >= p.x.taps; tap_x -= p.x.taps) tap_y++;
        }
    }
};

/* Brings rows of packed weights. */
template <typename T, int ROWS, int THREADS> struct EadWeightLoader {
    static constexpr int STEP = THREADS / 8, COUNT = ROWS / STEP;
    const unsigned char *from;
    int64_t pitch; /* bytes of STEP rows */

    __device__ void begin(const EadConvTask &t, int phase, int column, int tile) {
        int64_t row_bytes = static_cast<int64_t>(t.tiles) * 128;
        int64_t row = static_cast<int64_t>(phase) * t.weight_rows + column + threadIdx.x / 8;
        from = static_cast<const unsigned char *>(t.weights) + row * row_bytes + tile * 128 +
               threadIdx.x % 8 * 16;
        pitch = STEP * row_bytes;
    }

    __device__ void copy(unsigned char *stage) {
        const int row = static_cast<int>(threadIdx.x) / 8;
        stage += row * 128 + ((static_cast<int>(threadIdx.x) % 8 ^ row % 8) << 4);
#pragma unroll
        for (int i = 0; i < COUNT; i++) ead_copy_async_streamed(stage + i * STEP * 128, from + i * pitch);
        from += 128;
    }
};

/* c += the products of one stage; each of its four steps is as deep as one mma. */
template <typename T, typename Shape>
static __device__ inline void ead_multiply_stage(float (&c)[Shape::warp_m / 16][Shape::warp_n / 8][4],
                                                 const unsigned char *stage, int warp_row, int warp_column) {
    const int lane = static_cast<int>(threadIdx.x) % 32;
    const unsigned char *rows = stage + (warp_row + lane % 16) * 128;
    const unsigned char *columns = stage + (Shape::m + warp_column + lane % 8 + lane / 16 * 8) * 128;
#pragma unroll
    for (int step = 0; step < 4; step++) {
        uint32_t a[Shape::warp_m / 16][4], b[Shape::warp_n / 16][4];
#pragma unroll
        for (int i = 0; i < Shape::warp_m / 16; i++) {
            ead_load_matrices(a[i], rows + i * 16 * 128 + (((step * 2 + lane / 16) ^ lane % 8) << 4));
#pragma unroll
            for (int r = 0; r < 4; r++) a[i][r] = ead_round_operand<T>(a[i][r]);
        }
#pragma unroll
        for (int j = 0; j < Shape::warp_n / 16; j++)
            ead_load_matrices(b[j], columns + j * 16 * 128 + (((step * 2 + lane / 8 % 2) ^ lane % 8) << 4));
#pragma unroll
        for (int i = 0; i < Shape::warp_m / 16; i++)
#pragma unroll
            for (int j = 0; j < Shape::warp_n / 8; j++)
                ead_multiply<T>(c[i][j], a[i], b[j / 2][j % 2 * 2], b[j / 2][j % 2 * 2 + 1]);
    }
}

/* ---- epilogue: thread's elements are rows lane/4 and lane/4 + 8 of each 16, columns 2 (lane%4) and the next
 * of each 8 ---- */

template <typename T>
static __device__ inline void ead_store_target(const EadConvTask &t, int64_t pixel, int column, float first,
                                               float second) {
    const int left = t.view.outputs - column;
    if (left <= 0) return;
    const int64_t at = pixel * t.view.outputs + column;
    if (t.target_type == EAD_REAL)
        ead_store_pair(static_cast<float *>(t.target) + at, first, second, left, t.paired);
    else
        ead_store_pair(static_cast<T *>(t.target) + at, first, second, left, t.paired);
}

static __device__ inline float ead_activate(const EadConvTask &t, float sum, int column) {
    if (t.bias && column < t.view.outputs) sum += t.bias[column];
    return t.relu && sum < 0 ? 0.0f : sum; /* a NaN stays one */
}

/* Rows as they are. */
template <typename T, typename Shape>
static __device__ inline void ead_store_rows(const EadConvTask &t, const EadConvPhase &p,
                                             float (&c)[Shape::warp_m / 16][Shape::warp_n / 8][4], int row,
                                             int column) {
#pragma unroll
    for (int i = 0; i < Shape::warp_m / 8; i++) {
        EadConvPixel q = ead_conv_row(t.view, p, row + i * 8);
        if (!q.valid) continue;
        int64_t pixel = ead_conv_target(t.view, p, q);
#pragma unroll
        for (int j = 0; j < Shape::warp_n / 8; j++) {
            const float *pair = &c[i / 2][j][i % 2 * 2];
            int at = column + j * 8;
            ead_store_target<T>(t, pixel, at, ead_activate(t, pair[0], at), ead_activate(t, pair[1], at + 1));
        }
    }
}

/* Means of four rows, 8 apart; rows outside the convolution's output count as zeros. */
template <typename T, typename Shape>
static __device__ inline void ead_store_pooled(const EadConvTask &t, const EadConvPhase &p,
                                               float (&c)[Shape::warp_m / 16][Shape::warp_n / 8][4], int row,
                                               int column) {
#pragma unroll
    for (int i = 0; i < Shape::warp_m / 32; i++) {
        EadConvPixel pooled = ead_conv_pixel(t.view, p, ead_conv_pooled_pixel(row + i * 32));
        if (!pooled.valid) continue;
        bool valid[4];
#pragma unroll
        for (int k = 0; k < 4; k++) valid[k] = ead_conv_row(t.view, p, row + i * 32 + k * 8).valid;
#pragma unroll
        for (int j = 0; j < Shape::warp_n / 8; j++) {
            int at = column + j * 8;
            float part[2][4];
#pragma unroll
            for (int k = 0; k < 8; k++) {
                float sum = c[2 * i + k / 4][j][k % 4];
                part[k % 2][k / 2] = valid[k / 2] ? ead_activate(t, sum, at + k % 2) : 0.0f;
            }
            ead_store_target<T>(t, ead_conv_target(t.view, p, pooled), at,
                                0.25f * ((part[0][0] + part[0][1]) + (part[0][2] + part[0][3])),
                                0.25f * ((part[1][0] + part[1][1]) + (part[1][2] + part[1][3])));
        }
    }
}

/* Bare sums of a split, for ead_conv_finish. */
template <typename Shape>
static __device__ inline void ead_store_partials(const EadConvTask &t, int rows,
                                                 float (&c)[Shape::warp_m / 16][Shape::warp_n / 8][4],
                                                 int row, int column) {
    const int outputs = t.view.outputs;
    float *to = t.partials + (static_cast<int64_t>(blockIdx.z) * gridDim.y + blockIdx.y) * t.rows * outputs;
#pragma unroll
    for (int i = 0; i < Shape::warp_m / 8; i++) {
        if (row + i * 8 >= rows) continue;
#pragma unroll
        for (int j = 0; j < Shape::warp_n / 8; j++) {
            const float *pair = &c[i / 2][j][i % 2 * 2];
            int at = column + j * 8;
            if (at < outputs)
                ead_store_pair(to + static_cast<int64_t>(row + i * 8) * outputs + at, pair[0], pair[1],
                               outputs - at, t.paired);
        }
    }
}

/* What a block computes, and its copies, a tile of k after the other. */
template <typename T, typename Shape, int COPY> struct EadPixelBlock {
    static constexpr int STAGE = (Shape::m + Shape::n) * 128;
    EadConvPhase p;
    int rows, row, column; /* of the phase; first of the block */
    int first, end, next;  /* tiles of k: of this split, to be copied next */
    EadPixelLoader<T, Shape, COPY> pixels;
    EadWeightLoader<T, Shape::n, Shape::threads> weights;

    /* False: there are no such rows. */
    __device__ bool begin(const EadConvTask &t) {
        p = ead_conv_phase(t.view, static_cast<int>(blockIdx.y));
        rows = ead_conv_rows(t.view, p);
        const int column_tiles = t.weight_rows / Shape::n;
        row = static_cast<int>(blockIdx.x) / column_tiles * Shape::m;
        column = static_cast<int>(blockIdx.x) % column_tiles * Shape::n;
        if (row >= rows) return false;
        const int tiles = ead_conv_tiles(t.order, p.y.taps * p.x.taps);
        const int share = (tiles + t.splits - 1) / t.splits;
        first = next = static_cast<int>(blockIdx.z) * share;
        end = first + share < tiles ? first + share : tiles;
        if (first < end) {
            pixels.begin(t, p, row, first);
            weights.begin(t, static_cast<int>(blockIdx.y), column, first);
        }
        return true;
    }

    /* The next tile, if there is one, as a group of copies. */
    __device__ void copy(const EadConvTask &t, unsigned char *stage) {
        if (next < end) {
            pixels.copy(t, p, stage);
            weights.copy(stage + Shape::m * 128);
        }
        next++;
        ead_copy_commit();
    }

    /* Adds a stage to the sums of a warp, whose part of the tile begins there. */
    __device__ void multiply(float (&c)[Shape::warp_m / 16][Shape::warp_n / 8][4], const unsigned char *stage,
                             int warp_row, int warp_column) const {
        ead_multiply_stage<T, Shape>(c, stage, warp_row, warp_column);
    }

    /* Stores them. */
    __device__ void store(const EadConvTask &t, float (&c)[Shape::warp_m / 16][Shape::warp_n / 8][4],
                          int warp_row, int warp_column) const {
        const int lane = static_cast<int>(threadIdx.x) % 32;
        const int at_row = row + warp_row + lane / 4, at_column = column + warp_column + lane % 4 * 2;
        if (t.partials)
            ead_store_partials<Shape>(t, rows, c, at_row, at_column);
        else if (t.view.pool)
            ead_store_pooled<T, Shape>(t, p, c, at_row, at_column);
        else
            ead_store_rows<T, Shape>(t, p, c, at_row, at_column);
    }
};

/* grid: x = tiles of rows and (fastest) columns, so that blocks at work together share pixels; y = phase;
 * z = split of k. */
template <typename T, typename Shape, int COPY>
static __global__ void __launch_bounds__(Shape::threads) ead_multiply_pixels(EadConvTask t) {
    EAD_DYNAMIC_SHARED(unsigned char, shared);
    EadPixelBlock<T, Shape, COPY> block;
    if (!block.begin(t)) return;
    ead_multiply_block<Shape>(block, t, shared);
}

template <typename Shape>
static void ead_launch_pixels(void (*pixels_kernel)(EadConvTask), const EadConvTask &t, void *stream) {
    const unsigned row_tiles = ead_blocks(t.rows, Shape::m), column_tiles = t.weight_rows / Shape::n;
    dim3 grid(row_tiles * column_tiles, ead_conv_phases(t.view), t.splits);
    EAD_ALLOW_SHARED(pixels_kernel, Shape::shared);
    EAD_LAUNCH(pixels_kernel, grid, Shape::threads, Shape::shared, stream, t);
}
