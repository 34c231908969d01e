/* The tensor-core kernels on bf16 operands. */
#include "core/ops/conv2d/cuda/conv2d_launchers.cuh"

EAD_CONV_DEFINE_LAUNCHERS(bf16, __nv_bfloat16)
