/* cuBLAS under ead_cuda_gemm: one handle a device for the life of the process, given the caller's stream and
 * workspace at each call, so that products of parallel branches of a captured graph share nothing. */
#include "core/cuda/blas.h"

#include <cublas_v2.h>
#include <cuda_runtime.h>

#include <mutex>

enum { MAX_DEVICES = 64 };

static cublasHandle_t handle_of_device() {
    static std::mutex lock;
    static cublasHandle_t handles[MAX_DEVICES];
    int device = 0;
    cudaGetDevice(&device);
    std::lock_guard<std::mutex> guard(lock);
    cublasHandle_t &handle = handles[device % MAX_DEVICES];
    if (!handle) cublasCreate(&handle);
    return handle;
}

static cudaDataType_t operand_type(EadPrecision precision) {
    if (precision == EAD_PRECISION_FP16) return CUDA_R_16F;
    return precision == EAD_PRECISION_BF16 ? CUDA_R_16BF : CUDA_R_32F;
}

static cublasComputeType_t compute_type(EadPrecision precision) {
    if (precision == EAD_PRECISION_FP32) return CUBLAS_COMPUTE_32F_PEDANTIC;
    return precision == EAD_PRECISION_TF32 ? CUBLAS_COMPUTE_32F_FAST_TF32 : CUBLAS_COMPUTE_32F;
}

/* cuBLAS counts by columns: its c is our c transposed, so a and b change places. */
void ead_cuda_gemm(const EadCudaGemm *p) {
    static std::mutex lock;
    if (p->m == 0 || p->n == 0) return;
    const float one = 1;
    cublasHandle_t handle = handle_of_device();
    std::lock_guard<std::mutex> guard(lock);
    cublasSetStream(handle, static_cast<cudaStream_t>(p->stream));
    cublasSetWorkspace(handle, p->workspace, EAD_CUDA_GEMM_WORKSPACE);
    cudaDataType_t type = operand_type(p->precision);
    cublasGemmEx_64(handle, p->transpose_b ? CUBLAS_OP_T : CUBLAS_OP_N,
                    p->transpose_a ? CUBLAS_OP_T : CUBLAS_OP_N, p->n, p->m, p->k, &one, p->b, type, p->ldb,
                    p->a, type, p->lda, &p->beta, p->c, CUDA_R_32F, p->ldc, compute_type(p->precision),
                    CUBLAS_GEMM_DEFAULT);
}

EadCudaLimits ead_cuda_limits(void) {
    EadCudaLimits limits = {};
    int device = 0, major = 0, minor = 0;
    cudaGetDevice(&device);
    cudaDeviceGetAttribute(&limits.multiprocessors, cudaDevAttrMultiProcessorCount, device);
    cudaDeviceGetAttribute(&limits.shared_bytes, cudaDevAttrMaxSharedMemoryPerBlockOptin, device);
    cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, device);
    cudaDeviceGetAttribute(&minor, cudaDevAttrComputeCapabilityMinor, device);
    limits.wgmma = major == 9 && minor == 0;
    return limits;
}
