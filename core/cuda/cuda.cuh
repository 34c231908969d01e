/* What every .cu file includes: the language (of the real CUDA or of the host runner), calls and kernels of
 * the engine, storage types, index arithmetic of launches. */
#pragma once

#include <cuda_target.cuh>

#include <stdalign.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

extern "C" {
#include "core/graph/kernel.h"
}

/* The kernel of an op: EAD_CUDA_KERNEL(relu, .run = run, .half_in = 1, .half_out = true); */
#define EAD_CUDA_KERNEL(op, ...)                                                                             \
    extern "C" {                                                                                             \
    extern const EadKernel ead_##op##_cuda;                                                                  \
    const EadKernel ead_##op##_cuda = {__VA_ARGS__};                                                         \
    }                                                                                                        \
    static_assert(true, "")

/* Threads of a block where nothing asks for another number. */
enum { EAD_BLOCK = 256 };

static inline unsigned ead_blocks(int64_t threads, int block = EAD_BLOCK) {
    return static_cast<unsigned>((threads + block - 1) / block);
}

/* A thread's number in a one-dimensional grid. */
static __device__ inline int64_t ead_thread() {
    return static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
}

/* Values are computed in float whatever they are stored in. */
static __device__ inline float ead_float(float v) {
    return v;
}
static __device__ inline float ead_float(__half v) {
    return __half2float(v);
}
static __device__ inline float ead_float(__nv_bfloat16 v) {
    return __bfloat162float(v);
}

template <typename T> __device__ inline T ead_store(float v);
template <> __device__ inline float ead_store<float>(float v) {
    return v;
}
template <> __device__ inline __half ead_store<__half>(float v) {
    return __float2half_rn(v);
}
template <> __device__ inline __nv_bfloat16 ead_store<__nv_bfloat16>(float v) {
    return __float2bfloat16_rn(v);
}

/* Runs a statement with T as the C type of a storage type (EAD_REAL, EAD_F16, EAD_BF16). */
#define EAD_WITH_STORAGE(type, T, ...)                                                                       \
    do {                                                                                                     \
        if ((type) == EAD_F16) {                                                                             \
            using T = __half;                                                                                \
            __VA_ARGS__;                                                                                     \
        } else if ((type) == EAD_BF16) {                                                                     \
            using T = __nv_bfloat16;                                                                         \
            __VA_ARGS__;                                                                                     \
        } else {                                                                                             \
            using T = float;                                                                                 \
            __VA_ARGS__;                                                                                     \
        }                                                                                                    \
    } while (0)

/* The same for an input and an output: at most one 16-bit type occurs in a plan, so seven pairs do. */
#define EAD_WITH_STORAGES(x_type, X, y_type, Y, ...)                                                         \
    do {                                                                                                     \
        if ((x_type) == EAD_REAL) {                                                                          \
            using X = float;                                                                                 \
            EAD_WITH_STORAGE(y_type, Y, __VA_ARGS__);                                                        \
        } else if ((y_type) == EAD_REAL) {                                                                   \
            using Y = float;                                                                                 \
            EAD_WITH_STORAGE(x_type, X, __VA_ARGS__);                                                        \
        } else if ((x_type) == EAD_F16) {                                                                    \
            using X = __half;                                                                                \
            using Y = __half;                                                                                \
            __VA_ARGS__;                                                                                     \
        } else {                                                                                             \
            using X = __nv_bfloat16;                                                                         \
            using Y = __nv_bfloat16;                                                                         \
            __VA_ARGS__;                                                                                     \
        }                                                                                                    \
    } while (0)
