/* c[rows][PANEL] (+)= a b, or with one vector for the panel, register blocks of at most 6 rows. The block's numbers stay in registers over the
 * whole of k: per k it loads `vectors` vectors of b, broadcasts one number of a for each row and
 * multiplies. */
#pragma once

#include "core/simd/level/vector.h"
#include "core/simd/simd.h"

/* vectors, rows and the strides are constants where this is inlined. */
static inline __attribute__((always_inline)) void block(int vectors, int rows, const EadPanelProduct *p,
                                                        const real *a, int64_t row_stride, int64_t k_stride,
                                                        real *c) {
    int64_t segment = p->segment ? p->segment : p->k;
    const real *b = p->b;
    Vector sum[EAD_SIMD_ROWS][PANEL_VECTORS];
    UNROLL for (int i = 0; i < rows; i++) UNROLL for (int j = 0; j < vectors; j++) sum[i][j] =
        p->accumulate ? load(c + i * p->ldc + j * LANES) : zero();
    for (int64_t left = p->k; left > 0; left -= segment, a += p->segment_step - segment * k_stride)
        for (int64_t l = 0; l < segment; l++, b += p->ldb, a += k_stride) {
            Vector row[PANEL_VECTORS];
            UNROLL for (int j = 0; j < vectors; j++) row[j] = load(b + j * LANES);
            UNROLL for (int i = 0; i < rows; i++) {
                Vector broadcast = a[i * row_stride] - zero(); /* x - 0 is x: a plain broadcast */
                UNROLL for (int j = 0; j < vectors; j++) sum[i][j] += broadcast * row[j];
            }
        }
    UNROLL for (int i = 0; i < rows; i++) UNROLL for (int j = 0; j < vectors; j++)
        store(c + i * p->ldc + j * LANES, sum[i][j]);
}

#define BLOCK(rows) block(vectors, rows, p, a, row_stride, k_stride, c)

/* Blocks of six rows, and one for the rows that are left. One of the two strides is the constant 1. */
static inline __attribute__((always_inline)) void blocks(int vectors, const EadPanelProduct *p,
                                                         int64_t row_stride, int64_t k_stride) {
    const real *a = p->a;
    real *c = p->c;
    int64_t left = p->rows;
    for (; left >= EAD_SIMD_ROWS;
         left -= EAD_SIMD_ROWS, a += EAD_SIMD_ROWS * row_stride, c += EAD_SIMD_ROWS * p->ldc)
        BLOCK(EAD_SIMD_ROWS);
    if (left == 1)
        BLOCK(1);
    else if (left == 2)
        BLOCK(2);
    else if (left == 3)
        BLOCK(3);
    else if (left == 4)
        BLOCK(4);
    else if (left == 5)
        BLOCK(5);
}

static void product(const EadPanelProduct *p) {
    if (p->k_stride == 1)
        blocks(PANEL_VECTORS, p, p->row_stride, 1);
    else
        blocks(PANEL_VECTORS, p, 1, p->k_stride);
}

static void narrow_product(const EadPanelProduct *p) {
    if (p->k_stride == 1)
        blocks(1, p, p->row_stride, 1);
    else
        blocks(1, p, 1, p->k_stride);
}
