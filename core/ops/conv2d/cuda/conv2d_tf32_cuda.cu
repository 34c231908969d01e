/* The tensor-core kernels on TF32 operands. */
#include "core/ops/conv2d/cuda/conv2d_launchers.cuh"

EAD_CONV_DEFINE_LAUNCHERS(tf32, float)
