/* Gathering of patches (im2col), shared by the algorithms that multiply matrices. */
#pragma once

#include "core/ops/conv2d/conv2d_geometry.h"
#include "core/simd/simd.h"

#include <stdbool.h>

/* A 1x1 convolution of stride 1 without padding is a matrix product on x as it lies. */
bool ead_conv_is_matrix(const EadConvGeometry *g);

/* Kernel rows ky0 .. ky1-1 of the patches of output pixels begin .. end-1 (counted over images, rows,
 * columns), one patch a row of `columns`, row_stride reals apart; zeros where a patch lies outside x. */
void ead_gather_patches(const EadConvGeometry *g, const real *x, int64_t begin, int64_t end, int ky0, int ky1,
                        real *columns, int64_t row_stride);

/* The same patches as left side of a product, p->a and what describes it; pixels of one row. They are read where they
 * lie if no zeros are among them, else gathered to space [end-begin][KH*KW*I]. */
void ead_conv_patches_of_row(const EadConvGeometry *g, const real *x, int64_t begin, int64_t end, real *space,
                             EadPanelProduct *p);

/* The input gradient dx[iy,ix] sums w[ky,kx] dy[oy,ox] over oy*stride + ky - padding = iy (and the same for
 * x). For one remainder of (iy + padding, ix + padding) modulo the stride, a phase, the taps that contribute
 * are every stride-th one: a dense convolution of dy with a sub-kernel. Stride 1 has one phase. */
typedef struct EadConvPhase {
    int first_y, first_x; /* first row and column of dx in this phase */
    int rows, columns;    /* pixels of dx in this phase */
    int tap_y, tap_x;     /* first contributing tap; the others follow at distance stride */
    int taps_y, taps_x;
} EadConvPhase;

EadConvPhase ead_phase(const EadConvGeometry *g, int remainder_y, int remainder_x);

/* Pixels of dx in a phase, in all images. */
int64_t ead_phase_pixels(const EadConvGeometry *g, const EadConvPhase *p);

/* Numbers in a patch of dy. */
int64_t ead_phase_patch(const EadConvGeometry *g, const EadConvPhase *p);

/* The sub-kernel as matrix [taps*O][row_stride], of which I columns are written. */
void ead_gather_phase_weights(const EadConvGeometry *g, const EadConvPhase *p, const real *w, real *to,
                              int64_t row_stride);

/* For pixels begin .. end-1 of a phase the values of dy under each tap, [end-begin][taps*O]; zeros outside
 * dy. */
void ead_gather_phase_patches(const EadConvGeometry *g, const EadConvPhase *p, const real *dy, int64_t begin,
                              int64_t end, real *to);

/* Calls run for every phase that any tap reaches; sets dx to zero in the others. */
void ead_for_each_phase(const EadCall *call, const EadConvGeometry *g,
                        void (*run)(const EadCall *call, const EadConvGeometry *g, const EadConvPhase *p));

/* Where pixel q of the phase lies in dx. */
real *ead_phase_target(const EadConvGeometry *g, const EadConvPhase *p, int64_t q, real *dx);
