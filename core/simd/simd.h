/* The kernels whose speed depends on the vector width: products and Winograd transforms. Written once with
 * GCC's vector extensions (core/simd/level/), compiled to one object for each level of the x86-64 psABI (v2 =
 * SSE4, v3 = AVX2 and FMA, v4 = AVX-512; elsewhere one object for the compiler's default), chosen at run
 * time. */
#pragma once

#include "core/base/real.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    EAD_SIMD_ROWS = 6, /* rows of the product's register block, all levels */
    EAD_SIMD_MAX_VECTOR =
        16, /* numbers in a vector of the widest level: channel counts must be multiples of it */
    EAD_SIMD_MAX_PANEL = 64, /* columns of the register block of the widest level */
};

/* One panel of a product: c[rows][panel] = or += a b, where b is [k][panel].
 * a[row * row_stride + k * k_stride]; exactly one of the two strides is 1. Any number of rows >= 1; rows that
 * fill no whole register block are computed by a smaller one. */
typedef struct EadPanelProduct {
    int64_t rows, k;
    const real *a;
    int64_t row_stride, k_stride;
    int64_t segment,
        segment_step; /* so many of the k of a row lie together; from one segment to the next. 0: all do */
    const real *b;
    int64_t ldb; /* numbers from one row of b to the next; panel when packed */
    real *c;
    int64_t ldc;
    int accumulate; /* add to c instead of overwriting it */
} EadPanelProduct;

/* 2x2 average pooling of two rows of convolution outputs: y[p] = (x[0][2p] + x[0][2p+1] + x[1][2p] + x[1][2p+1]) / 4 of
 * pixels of `channels` numbers, x_stride and y_stride apart; before that bias (or NULL) is added to x, and then what is
 * negative becomes 0 if relu. */
typedef struct EadPooledRows {
    const real *x[2];
    int64_t x_stride, channels;
    const real *bias;
    bool relu;
    int pixels; /* of y */
    real *y;
    int64_t y_stride;
} EadPooledRows;

/* Winograd transforms of one tile for kernels of r x r: 8 x 8 inputs, (9-r)^2 outputs. All work on `channels`
 * neighbouring channels, a multiple of EAD_SIMD_MAX_VECTOR. Transformed tiles store number (i,j) at
 * out + (8*i+j) * stride. */
typedef struct EadWinogradKernels {
    int kernel, outputs;
    /* v = B^T d B. pixels[8*8]: where each pixel's channels begin. */
    void (*input)(const real *const *pixels, int64_t channels, real *v, int64_t stride);
    /* y = A^T m A + bias, then max(y, 0) if relu. y rows are row_stride apart, pixels pixel_stride; only the
     * upper left rows x columns are written. bias may be NULL. */
    void (*output)(const real *m, int64_t stride, int64_t channels, const real *bias, int relu, real *y,
                   int64_t row_stride, int64_t pixel_stride, int rows, int columns);
    /* The transpose of output, for the weight gradient: m = A y A^T. pixels[outputs*outputs]. */
    void (*output_gradient)(const real *const *pixels, int64_t channels, real *m, int64_t stride);
    /* u = G w G^T. taps[kernel*kernel]: where each tap's channels begin. */
    void (*weight)(const real *const *taps, int64_t channels, real *u, int64_t stride);
    /* The transpose of weight: w = G^T u G, tap (y,x) written to taps[y*kernel+x]. */
    void (*weight_gradient)(const real *u, int64_t stride, int64_t channels, real *const *taps);
} EadWinogradKernels;

typedef struct EadSimd {
    const char *name; /* "v4", "v3", "v2" or "base" */
    int panel;        /* columns of the register block */
    void (*product)(const EadPanelProduct *p);
    int narrow; /* columns of the narrow product: one vector */
    void (*narrow_product)(const EadPanelProduct *p);
    /* y[row * stride + c] += bias[c], or nothing if that is NULL, then at least 0 if relu; a NaN stays one. */
    void (*add_bias)(real *y, int64_t rows, int64_t channels, int64_t stride, const real *bias, bool relu);
    void (*pool_rows)(const EadPooledRows *p);
    /* y[c] = sum over t < count of x[t][c] weights[t][c] + bias[c], at least 0 if positive, at most `most`; a NaN
     * stays one. Any number of channels; bias may be NULL. */
    void (*weighted_sum)(int count, const real *const *x, const real *const *weights, int64_t channels,
                         const real *bias, bool positive, real most, real *y);
    /* (a[0] - b[0])² + … + (a[length-1] - b[length-1])², differences and sum in double. */
    double (*squared_distance)(const real *a, const real *b, int64_t length);
    EadWinogradKernels winograd[2]; /* kernel 3, kernel 4 */
    /* y[i] = tanh or exp of factor x[i]; y may be x. In float off by at most 2e-7 of the result, exp for |factor x| up
     * to 80, beyond which it is taken as 80; a NaN stays one. */
    void (*tanh_row)(const real *x, real factor, int64_t count, real *y);
    void (*exp_row)(const real *x, real factor, int64_t count, real *y);
} EadSimd;

/* The widest level that this CPU has, or the one that EFFICIENTAD_CPU names (v2, v3, v4; ignored if the CPU
 * lacks it). The same for the whole life of the process. */
const EadSimd *ead_simd(void);

/* A product of any width: p for panel after panel, `columns` columns of c; b_step: between panels of b. */
static inline void ead_panel_products(const EadSimd *simd, int64_t columns, int64_t b_step,
                                      EadPanelProduct p) {
    for (int64_t column = 0; column < columns; column += simd->panel, p.b += b_step, p.c += simd->panel)
        simd->product(&p);
}

/* The transforms for a kernel of 3 or 4. */
static inline const EadWinogradKernels *ead_winograd_kernels(const EadSimd *simd, int kernel) {
    return &simd->winograd[kernel == 4];
}
