/* Swish on CUDA: bound by memory bandwidth. */
#include "core/cuda/stored.cuh"

struct SwishMap {
    __device__ float operator()(float x, float, float) const { return x / (1 + expf(-x)); }
};

EAD_CUDA_KERNEL(swish, .run = ead_map_run<1, SwishMap>, .half_in = 1, .half_out = true);
