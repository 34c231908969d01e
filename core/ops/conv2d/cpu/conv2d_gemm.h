/* The gemm algorithm: blocks of patches gathered into a matrix (im2col), multiplied by OpenBLAS. Works for
 * every kernel, stride and padding; the reference that faster algorithms are checked against. */
#ifndef EAD_CORE_CONV2D_GEMM_H
#define EAD_CORE_CONV2D_GEMM_H

#include "core/graph/op.h"

void ead_conv2d_gemm_plan(EadCall *call);
void ead_conv2d_input_gradient_gemm_plan(EadCall *call);
void ead_conv2d_weight_gradient_gemm_plan(EadCall *call);

#endif
