/* ReLU6 on CUDA: bound by memory bandwidth. */
#include "core/cuda/stored.cuh"

/* min(max(x, 0), 6); a NaN stays one. */
struct Relu6Map {
    __device__ float operator()(float x, float, float) const { return x < 0 ? 0 : x > 6 ? 6 : x; }
};

EAD_CUDA_KERNEL(relu6, .run = ead_map_run<1, Relu6Map>, .half_in = 1, .half_out = true);
