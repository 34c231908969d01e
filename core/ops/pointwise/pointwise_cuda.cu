/* Functions of single numbers on CUDA: bound by memory bandwidth. */
#include "core/cuda/stored.cuh"

#include "core/ops/pointwise/pointwise.h"

typedef struct Pointwise {
    EadFunction function;
    float beta;
} Pointwise;

static Pointwise pointwise_of(const EadCall *call) {
    const EadPointwise *a = static_cast<const EadPointwise *>(call->attributes);
    return Pointwise{a->function, static_cast<float>(a->beta)};
}

struct ValueMap {
    Pointwise p;
    __device__ float operator()(float x, float, float) const {
        if (p.function == EAD_FUNCTION_EXP) return expf(x);
        if (p.function == EAD_FUNCTION_LOG) return logf(x);
        if (p.function == EAD_FUNCTION_SQRT) return sqrtf(x);
        if (p.function == EAD_FUNCTION_SIGMOID) return 1 / (1 + expf(-x));
        float u = p.beta * x;
        return ((u > 0 ? u : 0) + log1pf(expf(-fabsf(u)))) / p.beta;
    }
};

struct SlopeMap {
    Pointwise p;
    __device__ float operator()(float dy, float x, float) const {
        if (p.function == EAD_FUNCTION_EXP) return dy * expf(x);
        if (p.function == EAD_FUNCTION_LOG) return dy * (1 / x);
        if (p.function == EAD_FUNCTION_SQRT) return dy * (1 / (2 * sqrtf(x)));
        float sigmoid = 1 / (1 + expf(-p.beta * x));
        return dy * (p.function == EAD_FUNCTION_SIGMOID ? sigmoid * (1 - sigmoid) : sigmoid);
    }
};

static void run(const EadCall *call) {
    ead_map<1>(call, ValueMap{pointwise_of(call)});
}

static void run_gradient(const EadCall *call) {
    ead_map<2>(call, SlopeMap{pointwise_of(call)});
}

EAD_CUDA_KERNEL(pointwise, .run = run);
EAD_CUDA_KERNEL(pointwise_gradient, .run = run_gradient);
