/* The reference for the suites about convolution algorithms: im2col and OpenBLAS. Shares no line with the
 * product; only the suites that include this are linked with OpenBLAS. */
#ifndef EAD_TEST_CONV_GEMM_H
#define EAD_TEST_CONV_GEMM_H

#include "core/graph/op.h"

/* What a planned call of conv2d, conv2d_input_gradient or conv2d_weight_gradient should write to its output,
 * by matrix products of this build's `real`; for free(). NULL for other ops. */
real *conv_by_gemm(const EadCall *call, EadOpId op);

#endif
