/* Squared difference on CUDA: bound by memory bandwidth. An absent b is 0. */
#include "core/cuda/stored.cuh"

#include "core/ops/squared_difference/squared_difference.h"

struct SquaredDifferenceMap {
    __device__ float operator()(float a, float b, float) const { return (a - b) * (a - b); }
};

struct SquaredDifferenceGradientMap {
    float factor;
    __device__ float operator()(float dy, float a, float b) const { return factor * (a - b) * dy; }
};

static void run_gradient(const EadCall *call) {
    int sign = static_cast<const EadSquaredDifference *>(call->attributes)->sign;
    ead_map<3>(call, SquaredDifferenceGradientMap{static_cast<float>(2 * sign)});
}

EAD_CUDA_KERNEL(squared_difference, .run = ead_map_run<2, SquaredDifferenceMap>, .half_in = 3);
EAD_CUDA_KERNEL(squared_difference_gradient, .run = run_gradient, .half_in = 6, .half_out = true);
