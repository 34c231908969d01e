/* Scaling on CUDA: bound by memory bandwidth. */
#include "core/cuda/stored.cuh"

struct ScaleMap {
    float factor;
    __device__ float operator()(float x, float, float) const { return x * factor; }
};

static void run(const EadCall *call) {
    ead_map<1>(call, ScaleMap{static_cast<float>(*static_cast<const double *>(call->attributes))});
}

EAD_CUDA_KERNEL(scale, .run = run, .half_in = 1, .half_out = true);
