/* One matrix product for the forward convolution and the input gradient, seen from its rows.
 *
 * Row r of the product is a target pixel (an output pixel, or a pixel of dx in one phase), column n a target
 * channel, and k runs over the taps and channels of the gathered tensor (x, or dy). The input gradient of
 * stride s falls into s*s phases, by the remainder of the pixel's coordinates: in each, only every s-th tap
 * contributes, and what is left is a dense convolution of stride 1 of dy with the flipped sub-kernel. Stride
 * 1 has one phase.
 *
 * Pooling orders the rows so that the four outputs under a pooled pixel lie 8 apart: a thread of a
 * tensor-core kernel then holds all four. */
#pragma once

#include "core/cuda/cuda.cuh"

struct EadConvView {
    int images;
    int h, w, c;         /* gathered tensor; c with the padding of a staged copy */
    int kh, kw;          /* kernel */
    int stride, padding; /* of the convolution */
    int rows, columns;   /* target: after pooling */
    int outputs;         /* channels of the target */
    bool gradient;       /* of the input */
    bool pool;
    int conv_rows, conv_columns, pool_padding; /* with pool: sizes before */
};

/* One direction of one phase. Position q takes source positions q*step + base + tap and is target position
 * q*target_step + first. */
struct EadConvAxis {
    int taps, count, step, base, target_step, first;
};

static __host__ __device__ inline EadConvAxis ead_conv_axis(const EadConvView &v, int kernel, int size,
                                                            int phase) {
    if (!v.gradient) return {kernel, size, v.stride, -v.padding, 1, 0};
    int first_tap = (phase + v.padding) % v.stride;
    int taps = first_tap < kernel ? (kernel - first_tap + v.stride - 1) / v.stride : 0;
    int count = phase < size ? (size - phase + v.stride - 1) / v.stride : 0;
    return {taps, count, 1, (phase + v.padding - first_tap) / v.stride - taps + 1, v.stride, phase};
}

struct EadConvPhase {
    EadConvAxis y, x;
};

static __host__ __device__ inline int ead_conv_phases(const EadConvView &v) {
    return v.gradient ? v.stride * v.stride : 1;
}

static __host__ __device__ inline EadConvPhase ead_conv_phase(const EadConvView &v, int phase) {
    return {ead_conv_axis(v, v.kh, v.rows, phase / v.stride),
            ead_conv_axis(v, v.kw, v.columns, phase % v.stride)};
}

/* Rows of the product of a phase; with pooling in whole groups of 32 for 8 pooled pixels. */
static __host__ __device__ inline int ead_conv_rows(const EadConvView &v, const EadConvPhase &p) {
    int pixels = v.images * p.y.count * p.x.count;
    return v.pool ? (pixels + 7) / 8 * 32 : pixels;
}

/* Pixel number `pixel` of a phase's target pixels. */
struct EadConvPixel {
    int image, y, x;
    bool valid;
};

static __host__ __device__ inline EadConvPixel ead_conv_pixel(const EadConvView &v, const EadConvPhase &p,
                                                              int pixel) {
    int line = pixel / p.x.count;
    int image = line / p.y.count;
    return {image, line - image * p.y.count, pixel - line * p.x.count, image < v.images};
}

/* The pooled pixel of row r, and which of its four outputs the row is. */
static __host__ __device__ inline int ead_conv_pooled_pixel(int r) {
    return r / 32 * 8 + r % 8;
}
static __host__ __device__ inline int ead_conv_pooled_part(int r) {
    return r / 8 % 4;
}

/* What row r of the product computes: a pixel of the convolution's output. */
static __host__ __device__ inline EadConvPixel ead_conv_row(const EadConvView &v, const EadConvPhase &p,
                                                            int r) {
    if (!v.pool) return ead_conv_pixel(v, p, r);
    EadConvPixel q = ead_conv_pixel(v, p, ead_conv_pooled_pixel(r));
    int part = ead_conv_pooled_part(r);
    q.y = 2 * q.y - v.pool_padding + part / 2;
    q.x = 2 * q.x - v.pool_padding + part % 2;
    q.valid = q.valid && q.y >= 0 && q.y < v.conv_rows && q.x >= 0 && q.x < v.conv_columns;
    return q;
}

/* The number of a phase's pixel among all pixels of the target. */
static __host__ __device__ inline int64_t ead_conv_target(const EadConvView &v, const EadConvPhase &p,
                                                          const EadConvPixel &q) {
    return (static_cast<int64_t>(q.image) * v.rows + q.y * p.y.target_step + p.y.first) * v.columns +
           q.x * p.x.target_step + p.x.first;
}

/* ---- order of k ----
 *
 * k is cut into tiles of 128 bytes. A tile holds `taps` taps of `group` channels each: one tap of 64 (or 32)
 * channels where there are that many, all 16 taps of a 4x4 kernel where there are four channels. The taps of
 * one group follow each other before the next group begins: then the pixels that neighbouring taps share are
 * still in L1. */
struct EadConvOrder {
    int tile;   /* numbers in a tile of k */
    int group;  /* channels of a tap in a tile */
    int taps;   /* taps in a tile */
    int groups; /* groups of channels */
};

static __host__ __device__ inline EadConvOrder ead_conv_order(int channels, int number_bytes) {
    EadConvOrder o = {128 / number_bytes, 4, 0, 0};
    while (o.group < channels && o.group < o.tile) o.group *= 2;
    o.taps = o.tile / o.group;
    o.groups = (channels + o.group - 1) / o.group;
    return o;
}

/* Tiles of k of a product with that many taps. */
static __host__ __device__ inline int ead_conv_tiles(const EadConvOrder &o, int taps) {
    return o.groups * ((taps + o.taps - 1) / o.taps);
}

/* Tap and channel of k; the tap may lie beyond the last, the channel too: such places count as zero. */
struct EadConvPlace {
    int tap, channel;
};

static __host__ __device__ inline EadConvPlace ead_conv_place(const EadConvOrder &o, int taps, int k) {
    int tile = k / o.tile, within = k % o.tile, tap_tiles = (taps + o.taps - 1) / o.taps;
    return {tile % tap_tiles * o.taps + within / o.group, tile / tap_tiles * o.group + within % o.group};
}
