/* What the tensor-core kernels are told, and the tables of their tiles. */
#pragma once

#include "core/ops/conv2d/cuda/conv2d_geometry.cuh"

/* Tiles of the product that a block computes: rows, columns, of its warps, stages of the pipeline, and the
 * part of a multiprocessor's tensor rate that such blocks are expected to reach (larger tiles read less from
 * L2 for what they multiply). Rows a warp must be multiples of 32: pooling counts on it. */
#define EAD_CONV_TILES(TILE)                                                                                 \
    TILE(256, 128, 64, 64, 3, 1.0)                                                                           \
    TILE(128, 128, 64, 64, 3, 0.85)                                                                          \
    TILE(128, 64, 64, 32, 3, 0.65)                                                                           \
    TILE(64, 64, 32, 32, 4, 0.45)

/* Tiles for the products of warpgroups (16-bit operands in whole chunks, compute capability 9.0): rows,
 * columns, stages, and the part of what wgmma reaches there. It is bound by shared memory, 128 bytes a cycle:
 * a product of 64 rows x 128 columns x 16 reads 6 KB in its 64 cycles, 64 columns 4 KB in 32, and the copies
 * write to it, too. No warpgroup can have more than 128 x 128: that is 128 registers of sums a thread. */
#define EAD_CONV_WGMMA_TILES(TILE)                                                                           \
    TILE(256, 128, 4, 0.8)                                                                                   \
    TILE(128, 128, 3, 0.7)                                                                                   \
    TILE(128, 64, 4, 0.5)

enum EadConvTileId {
#define TILE(m, n, wm, wn, stages, rate) EAD_CONV_TILE_##m##x##n,
    EAD_CONV_TILES(TILE)
#undef TILE
#define TILE(m, n, stages, rate) EAD_CONV_WGMMA_##m##x##n,
        EAD_CONV_WGMMA_TILES(TILE)
#undef TILE
            EAD_CONV_TILE_COUNT
};

static inline bool ead_conv_is_wgmma(int tile) {
    return tile >= EAD_CONV_WGMMA_256x128;
}

template <int M, int N, int WARP_M, int WARP_N, int STAGES> struct EadTileShape {
    static constexpr int m = M, n = N, warp_m = WARP_M, warp_n = WARP_N, stages = STAGES;
    static constexpr int threads = M / WARP_M * (N / WARP_N) * 32;
    static constexpr int shared =
        STAGES * (M + N) * 128; /* bytes: a stage is 128 bytes of every row and column */

    /* The row of the product that lies in a row of the stage. */
    static __device__ int product_row(int stage_row) { return stage_row; }
};

/* Forward or input gradient: target [rows, outputs] = gathered source x weights^T. */
struct EadConvTask {
    EadConvView view;
    EadConvOrder order;
    const void *source;  /* [images,h,w,c] of the operand type */
    const void *weights; /* [phases][weight_rows][tiles * order.tile], zeros beyond outputs, taps, channels */
    int weight_rows, tiles;
    int splits;      /* of k, by blockIdx.z */
    float *partials; /* [splits][phases][rows][outputs] if set; else the target is written */
    int rows;        /* the most of any phase */
    bool paired;     /* two channels can be stored at once: their number is even, the address too */
    void *target;
    EadType target_type;
    const float *bias; /* NULL: none */
    bool relu;
};

/* n / divisor by a multiplication, for 0 <= n < 2^31. */
struct EadDivider {
    uint32_t divisor, factor, shift;
};

static inline EadDivider ead_divider(int divisor) {
    EadDivider d = {static_cast<uint32_t>(divisor), 0, 0};
    while ((UINT32_C(1) << d.shift) < d.divisor) d.shift++;
    d.factor = static_cast<uint32_t>(((UINT64_C(1) << (31 + d.shift)) + d.divisor - 1) / d.divisor);
    return d;
}

static __device__ inline int ead_divide(const EadDivider &d, int n) {
    return static_cast<int>((static_cast<uint64_t>(static_cast<uint32_t>(n)) * d.factor) >> (31 + d.shift));
}

/* Weight gradient: sums [outputs, taps * c] = dy^T x gathered source, over the pixels of a split. */
struct EadConvWeightTask {
    EadConvView view; /* the forward convolution's; c with the padding of a staged copy */
    const void *dy;   /* [pixels, dy_channels] of the operand type */
    const void *source;
    int dy_channels, pixels, columns;
    int splits;
    float *sums;                    /* [splits][outputs][columns] */
    bool paired;                    /* at an address for two floats at once */
    EadDivider by_columns, by_rows; /* of the image that dy is */
};

/* Stores two neighbouring numbers; of which there may be just one left. */
template <typename Y>
static __device__ inline void ead_store_pair(Y *to, float first, float second, int left, bool paired) {
    struct alignas(2 * sizeof(Y)) Pair {
        Y first, second;
    };
    if (paired) {
        *reinterpret_cast<Pair *>(to) = {ead_store<Y>(first), ead_store<Y>(second)};
    } else {
        to[0] = ead_store<Y>(first);
        if (left > 1) to[1] = ead_store<Y>(second);
    }
}

/* Launches; tile is an EadConvTileId. Sources whose channels are no multiple of 16 bytes ("narrow") have
 * tiles of their own: ead_conv_narrow_tile. */
enum { EAD_CONV_NARROW_TILE = EAD_CONV_TILE_128x64 };

#define EAD_CONV_LAUNCHERS(name)                                                                             \
    void ead_conv_multiply_##name(const EadConvTask &task, int tile, void *stream);                          \
    void ead_conv_multiply_weight_##name(const EadConvWeightTask &task, int tile, void *stream);
EAD_CONV_LAUNCHERS(f16)
EAD_CONV_LAUNCHERS(bf16)
EAD_CONV_LAUNCHERS(tf32)
EAD_CONV_LAUNCHERS(f16_wgmma)
EAD_CONV_LAUNCHERS(bf16_wgmma)
#undef EAD_CONV_LAUNCHERS

/* Numbers in 8 bytes, the smallest copy: a multiple of this are the channels of every gathered tensor. */
template <typename T> static inline bool ead_conv_is_narrow(int channels) {
    return channels * static_cast<int>(sizeof(T)) % 16 != 0;
}
