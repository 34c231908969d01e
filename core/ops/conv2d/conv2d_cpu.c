/* Choice of the algorithm for each of the three convolution kernels on the CPU. */
#include "core/ops/conv2d/conv2d_gemm.h"

const EadKernel ead_conv2d_cpu = {.plan = ead_conv2d_gemm_plan};
const EadKernel ead_conv2d_input_gradient_cpu = {.plan = ead_conv2d_input_gradient_gemm_plan};
const EadKernel ead_conv2d_weight_gradient_cpu = {.plan = ead_conv2d_weight_gradient_gemm_plan};
