/* ReLU on CUDA: bound by memory bandwidth. */
#include "core/cuda/stored.cuh"

/* max(x, 0); a NaN stays one. */
struct ReluMap {
    __device__ float operator()(float x, float, float) const { return x < 0 ? 0 : x; }
};

/* dy where y > 0, else 0. */
struct ReluGradientMap {
    __device__ float operator()(float dy, float y, float) const { return y > 0 ? dy : 0; }
};

EAD_CUDA_KERNEL(relu, .run = ead_map_run<1, ReluMap>, .half_in = 1, .half_out = true);
EAD_CUDA_KERNEL(relu_gradient, .run = ead_map_run<2, ReluGradientMap>, .half_in = 3, .half_out = true);
