/* The tensor-core kernels on fp16 operands. */
#include "core/ops/conv2d/cuda/conv2d_launchers.cuh"

EAD_CONV_DEFINE_LAUNCHERS(f16, __half)
