/* The matrix product under the gemm algorithm of the convolutions: cuBLAS (core/cuda/blas.cu); plain loops on
 * the host runner (test/cuda_host/blas_host.cpp). And what a GPU can hold, by which tiles are chosen. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#include "core/graph/kernel.h"

/* One row-major product c = op(a) op(b) + beta c; c [m,n] float, op(a) [m,k], op(b) [k,n]; l* are row
 * strides, all pointers device addresses. precision: of a and b: float for FP32 (exact products) and TF32,
 * 16-bit floats for FP16 and BF16. Sums are in float. Any size may be zero. */
typedef struct EadCudaGemm {
    EadPrecision precision;
    bool transpose_a, transpose_b;
    int64_t m, n, k;
    const void *a;
    int64_t lda;
    const void *b;
    int64_t ldb;
    float beta;
    float *c;
    int64_t ldc;
    void *workspace; /* EAD_CUDA_GEMM_WORKSPACE bytes, aligned to 256 */
    void *stream;
} EadCudaGemm;

enum { EAD_CUDA_GEMM_WORKSPACE = 32 << 20 };

/* Launches the product. The first call of a device creates its handle, so it must not lie in a capture.
 * Cannot fail but by our own mistake or a broken device, which the next synchronize reports. */
void ead_cuda_gemm(const EadCudaGemm *product);

/* Of the thread's device. */
typedef struct EadCudaLimits {
    int multiprocessors;
    int shared_bytes; /* that a block may have */
    bool wgmma;       /* compute capability 9.0, whose products of warpgroups (wgmma.cuh) no other has */
} EadCudaLimits;

EadCudaLimits ead_cuda_limits(void);

/* Loads cuBLAS, which fp32 convolutions need, for the life of the process, if that has not been done. Errors:
 * EAD_UNSUPPORTED where it is missing. */
EadStatus ead_cublas_open(void);

#ifdef __cplusplus
}
#endif
