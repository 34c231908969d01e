/* Hopper's tensor-core kernels on fp16 operands; compiled for sm_90a alone. */
#include "core/ops/conv2d/cuda/conv2d_warpgroups.cuh"

EAD_CONV_DEFINE_WGMMA_LAUNCHERS(f16, __half)
