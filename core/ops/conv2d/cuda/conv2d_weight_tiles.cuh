/* The tensor-core kernel of the weight gradient.
 *
 * dw[o][tap,i] = sum over pixels of dy[pixel][o] x[pixel moved by tap][i]: a product over the pixels.
 * Both operands lie with their pixels in rows, so fragments are read across: 16-bit numbers by transposing
 * loads, floats one by one. Few channels and many pixels: the pixels are split over blockIdx.z, whose sums a
 * second kernel adds in a fixed order (ead_conv_weight_finish).
 *
 * Stage: 64 rows (floats: 32), a pixel each, of m numbers of dy, then as many of n numbers of x. Rows of
 * 16-bit numbers lie in segments of 128 bytes, [segment][pixel][128 bytes], as wgmma wants them, too
 * (conv2d_warpgroups.cuh). The 16-byte chunks of a row are exchanged: by chunk ^ (row % 8) for 16-bit
 * numbers, because a transposing load takes one chunk of 8 rows; by chunk ^ 2 (row % 4) for floats, because a
 * fragment takes two chunks of 4 rows. */
#pragma once

#include "core/cuda/mma.cuh"
#include "core/ops/conv2d/cuda/conv2d_block.cuh"
#include "core/ops/conv2d/cuda/conv2d_kernel_args.cuh"

/* Pixels of a stage: as deep a part of k as in the forward kernel. */
template <typename T> constexpr int EAD_STAGE_PIXELS = 128 / static_cast<int>(sizeof(T));

/* Bytes from the beginning of an operand's part of a stage, of rows of WIDTH numbers, to a byte of a row. */
template <typename T, int WIDTH> static __device__ inline int ead_stage_offset(int row, int byte) {
    if constexpr (sizeof(T) == 2)
        return byte / 128 * (EAD_STAGE_PIXELS<T> * 128) + row * 128 + (byte % 128 ^ (row & 7) << 4);
    else
        return row * WIDTH * 4 + (byte ^ (row & 3) << 5);
}

/* Where a thread copies to: one chunk of every STEP-th row of WIDTH numbers. */
template <typename T, int WIDTH, int THREADS, int COPY> struct EadPixelRows {
    static constexpr int BYTES = WIDTH * static_cast<int>(sizeof(T)), CHUNKS = BYTES / COPY;
    static constexpr int STEP = THREADS / CHUNKS, COUNT = EAD_STAGE_PIXELS<T> / STEP;
    static_assert(STEP * COUNT == EAD_STAGE_PIXELS<T> && STEP > 0);

    static __device__ int row(int i) { return static_cast<int>(threadIdx.x) / CHUNKS + i * STEP; }
    static __device__ int column() { /* in numbers */
        return static_cast<int>(threadIdx.x) % CHUNKS * COPY / static_cast<int>(sizeof(T));
    }
    static __device__ unsigned char *place(unsigned char *stage, int i) {
        return stage + ead_stage_offset<T, WIDTH>(row(i), static_cast<int>(threadIdx.x) % CHUNKS * COPY);
    }
};

/* dy; its channels in the order of the product's rows. */
template <typename T, typename Shape>
static __device__ inline void ead_copy_gradient(const EadConvWeightTask &t, int first_pixel,
                                                int first_channel, unsigned char *stage) {
    using Rows = EadPixelRows<T, Shape::m, Shape::threads, 16>;
    const int channel = first_channel + Shape::product_row(Rows::column());
#pragma unroll
    for (int i = 0; i < Rows::COUNT; i++) {
        const int pixel = first_pixel + Rows::row(i);
        const bool inside = pixel < t.pixels && channel < t.dy_channels;
        const T *from = static_cast<const T *>(t.dy);
        if (inside) from += static_cast<int64_t>(pixel) * t.dy_channels + channel;
        ead_copy_async<16>(Rows::place(stage, i), from, inside);
    }
}

/* x under one tap and from one channel on: those of the thread's column. */
struct EadTapColumn {
    int y, x, channel; /* the tap's distance from a pixel's place */
    bool there;
};

static __device__ inline EadTapColumn ead_tap_column(const EadConvWeightTask &t, int column) {
    const EadConvView &v = t.view;
    const int tap = column / v.c;
    return {tap / v.kw - v.padding, tap % v.kw - v.padding, column - tap * v.c, column < t.columns};
}

template <typename T, typename Shape, int COPY>
static __device__ inline void ead_copy_source(const EadConvWeightTask &t, int first_pixel,
                                              const EadTapColumn &tap, unsigned char *stage) {
    using Rows = EadPixelRows<T, Shape::n, Shape::threads, COPY>;
    const EadConvView &v = t.view;
#pragma unroll
    for (int i = 0; i < Rows::COUNT; i++) {
        const int pixel = first_pixel + Rows::row(i);
        const int line = ead_divide(t.by_columns, pixel), image = ead_divide(t.by_rows, line);
        const int y = (line - image * v.rows) * v.stride + tap.y;
        const int x = (pixel - line * v.columns) * v.stride + tap.x;
        const bool inside = tap.there && pixel < t.pixels &&
                            static_cast<unsigned>(y) < static_cast<unsigned>(v.h) &&
                            static_cast<unsigned>(x) < static_cast<unsigned>(v.w);
        const T *from = static_cast<const T *>(t.source);
        if (inside) from += static_cast<int64_t>((image * v.h + y) * v.w + x) * v.c + tap.channel;
        ead_copy_async<COPY>(Rows::place(stage, i), from, inside);
    }
}

/* ---- fragments: pixels `pixel` and on of a stage, k = pixel ---- */

/* Four registers for 16 numbers of a row, from number `at` of the warp's part on: groups of 8 numbers and
 * halves of k. In the order of a (the group changes first) or of two columns of b (the half changes first),
 * so that no register is moved. The warp's part lies in one segment; of floats, it begins at a multiple of
 * the 8 chunks among which is exchanged: so the exchange depends on the lane and constants only. */
template <typename T, int WIDTH, bool OF_A>
static __device__ inline void ead_load_across(uint32_t (&r)[4], const unsigned char *stage, int pixel,
                                              int warp_at, int at) {
    const int lane = static_cast<int>(threadIdx.x) % 32;
    if constexpr (sizeof(T) == 2) {
        const int first = lane / 8 % 2, second = lane / 16, group = OF_A ? first : second;
        const int row = pixel + lane % 8 + (OF_A ? second : first) * 8;
        const int byte = (warp_at % 64 * 2 + group * 16) ^ (lane % 8 << 4) ^ at * 2; /* row % 8 = lane % 8 */
        stage += warp_at / 64 * (EAD_STAGE_PIXELS<T> * 128);
        ead_load_matrices_transposed(r, stage + row * 128 + byte);
    } else {
        stage += (lane % 4 * WIDTH + warp_at + lane / 4 % 4) * 4;
#pragma unroll
        for (int i = 0; i < 4; i++) {
            const int group = OF_A ? i % 2 : i / 2, half = OF_A ? i / 2 : i % 2;
            const int chunk = ((at + group * 8) / 4 + lane / 16) ^ (lane & 3) << 1; /* row % 4 = lane % 4 */
            r[i] = *reinterpret_cast<const uint32_t *>(stage + (pixel + half * 4) * WIDTH * 4 + (chunk << 4));
            r[i] = ead_round_operand<T>(r[i]);
        }
    }
}

template <typename T, typename Shape>
static __device__ inline void ead_multiply_pixel_stage(float (&c)[Shape::warp_m / 16][Shape::warp_n / 8][4],
                                                       const unsigned char *stage, int warp_row,
                                                       int warp_column) {
    constexpr int DEPTH = 32 / sizeof(T); /* pixels of an mma */
    const unsigned char *x = stage + EAD_STAGE_PIXELS<T> * Shape::m * sizeof(T);
#pragma unroll
    for (int pixel = 0; pixel < EAD_STAGE_PIXELS<T>; pixel += DEPTH) {
        uint32_t a[Shape::warp_m / 16][4], b[Shape::warp_n / 16][4];
#pragma unroll
        for (int i = 0; i < Shape::warp_m / 16; i++)
            ead_load_across<T, Shape::m, true>(a[i], stage, pixel, warp_row, i * 16);
#pragma unroll
        for (int j = 0; j < Shape::warp_n / 16; j++)
            ead_load_across<T, Shape::n, false>(b[j], x, pixel, warp_column, j * 16);
#pragma unroll
        for (int i = 0; i < Shape::warp_m / 16; i++)
#pragma unroll
            for (int j = 0; j < Shape::warp_n / 8; j++)
                ead_multiply<T>(c[i][j], a[i], b[j / 2][j % 2 * 2], b[j / 2][j % 2 * 2 + 1]);
    }
}

template <typename Shape>
static __device__ inline void ead_store_sums(const EadConvWeightTask &t,
                                             float (&c)[Shape::warp_m / 16][Shape::warp_n / 8][4], int row,
                                             int column) {
    float *to = t.sums + static_cast<int64_t>(blockIdx.z) * t.view.outputs * t.columns;
#pragma unroll
    for (int i = 0; i < Shape::warp_m / 8; i++) {
        if (row + i * 8 >= t.view.outputs) continue;
#pragma unroll
        for (int j = 0; j < Shape::warp_n / 8; j++) {
            if (column + j * 8 >= t.columns) continue;
            const float *pair = &c[i / 2][j][i % 2 * 2];
            ead_store_pair(to + static_cast<int64_t>(row + i * 8) * t.columns + column + j * 8, pair[0],
                           pair[1], 2, t.paired);
        }
    }
}

/* What a block computes, and its copies, a tile of k after the other. */
template <typename T, typename Shape, int COPY> struct EadWeightBlock {
    static constexpr int OF_X = EAD_STAGE_PIXELS<T> * Shape::m * sizeof(T);
    static constexpr int STAGE = EAD_STAGE_PIXELS<T> * (Shape::m + Shape::n) * sizeof(T);
    int row, column;      /* first of the block */
    int first, end, next; /* tiles of k: of this split, to be copied next */
    EadTapColumn tap;

    __device__ void begin(const EadConvWeightTask &t) {
        const int column_tiles = (t.columns + Shape::n - 1) / Shape::n;
        row = static_cast<int>(blockIdx.x) / column_tiles * Shape::m;
        column = static_cast<int>(blockIdx.x) % column_tiles * Shape::n;
        const int tiles = (t.pixels + EAD_STAGE_PIXELS<T> - 1) / EAD_STAGE_PIXELS<T>,
                  share = (tiles + t.splits - 1) / t.splits;
        first = next = static_cast<int>(blockIdx.z) * share;
        end = first + share < tiles ? first + share : tiles;
        tap = ead_tap_column(t, column + EadPixelRows<T, Shape::n, Shape::threads, COPY>::column());
    }

    /* The next tile, if there is one, as a group of copies. */
    __device__ void copy(const EadConvWeightTask &t, unsigned char *stage) {
        if (next < end) {
            ead_copy_gradient<T, Shape>(t, next * EAD_STAGE_PIXELS<T>, row, stage);
            ead_copy_source<T, Shape, COPY>(t, next * EAD_STAGE_PIXELS<T>, tap, stage + OF_X);
        }
        next++;
        ead_copy_commit();
    }

    /* Adds a stage to the sums of a warp, whose part of the tile begins there. */
    __device__ void multiply(float (&c)[Shape::warp_m / 16][Shape::warp_n / 8][4], const unsigned char *stage,
                             int warp_row, int warp_column) const {
        ead_multiply_pixel_stage<T, Shape>(c, stage, warp_row, warp_column);
    }

    /* Stores them. */
    __device__ void store(const EadConvWeightTask &t, float (&c)[Shape::warp_m / 16][Shape::warp_n / 8][4],
                          int warp_row, int warp_column) const {
        const int lane = static_cast<int>(threadIdx.x) % 32;
        ead_store_sums<Shape>(t, c, row + warp_row + lane / 4, column + warp_column + lane % 4 * 2);
    }
};

/* grid: x = tiles of columns (fastest) and rows; z = split of the pixels. */
template <typename T, typename Shape, int COPY>
static __global__ void __launch_bounds__(Shape::threads) ead_multiply_weights(EadConvWeightTask t) {
    EAD_DYNAMIC_SHARED(unsigned char, shared);
    EadWeightBlock<T, Shape, COPY> block;
    block.begin(t);
    ead_multiply_block<Shape>(block, t, shared);
}

template <typename Shape>
static void ead_launch_weights(void (*weights_kernel)(EadConvWeightTask), const EadConvWeightTask &t,
                               void *stream) {
    dim3 grid(ead_blocks(t.view.outputs, Shape::m) * ead_blocks(t.columns, Shape::n), 1, t.splits);
    EAD_ALLOW_SHARED(weights_kernel, Shape::shared);
    EAD_LAUNCH(weights_kernel, grid, Shape::threads, Shape::shared, stream, t);
}
