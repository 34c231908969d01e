/* Hopper's tensor-core kernels on bf16 operands; compiled for sm_90a alone. */
#include "core/ops/conv2d/cuda/conv2d_warpgroups.cuh"

EAD_CONV_DEFINE_WGMMA_LAUNCHERS(bf16, __nv_bfloat16)
