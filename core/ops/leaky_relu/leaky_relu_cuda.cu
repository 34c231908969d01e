/* Leaky ReLU on CUDA: bound by memory bandwidth. */
#include "core/cuda/stored.cuh"

#include "core/ops/leaky_relu/leaky_relu.h"

/* v where sign > 0, else slope v. */
static __device__ inline float leak(float v, float sign, float slope) {
    return v * (sign > 0 ? 1.0f : slope);
}

struct LeakyReluMap {
    float slope;
    __device__ float operator()(float x, float, float) const { return leak(x, x, slope); }
};

struct LeakyReluGradientMap {
    float slope;
    __device__ float operator()(float dy, float y, float) const { return leak(dy, y, slope); }
};

static float slope_of(const EadCall *call) {
    return static_cast<float>(static_cast<const EadLeakyRelu *>(call->attributes)->slope);
}

static void run(const EadCall *call) {
    ead_map<1>(call, LeakyReluMap{slope_of(call)});
}

static void run_gradient(const EadCall *call) {
    ead_map<2>(call, LeakyReluGradientMap{slope_of(call)});
}

EAD_CUDA_KERNEL(leaky_relu, .run = run, .half_in = 1, .half_out = true);
EAD_CUDA_KERNEL(leaky_relu_gradient, .run = run_gradient, .half_in = 3, .half_out = true);
