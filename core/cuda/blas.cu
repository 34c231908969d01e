/* cuBLAS, loaded when it is first needed: it is half a gigabyte, takes a good part of a second to load, and
 * only fp32 convolutions call it. Linked in the ordinary way it would cost every start of the program that
 * time, and the program would not start at all where it is missing. These are its functions by name; each
 * passes its call on. */
#include "core/cuda/blas.h"

#include <cuda_runtime.h>
#include <dlfcn.h>

#include <mutex>
#include <stdio.h>

/* Hidden, so that a program with our library in it keeps its own cuBLAS. */
#pragma GCC visibility push(hidden)
#include <cublas_v2.h>
#pragma GCC visibility pop

static void *open_library(void) {
    char name[64], path[128];
    snprintf(name, sizeof name, "libcublas.so.%d", CUBLAS_VER_MAJOR);
    snprintf(path, sizeof path, "/usr/local/cuda/lib64/%s", name);
    void *library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
    return library ? library : dlopen(path, RTLD_NOW | RTLD_LOCAL);
}

static void *library(void) {
    static void *const opened = open_library();
    return opened;
}

EadStatus ead_cublas_open(void) {
    if (library()) return EAD_OK;
    return ead_fail(EAD_UNSUPPORTED,
                    "fp32 on CUDA needs libcublas.so.%d, which is not to be found (LD_LIBRARY_PATH); "
                    "training needs it in "
                    "any case, for its statistics; inference does without in tf32, bf16 or fp16",
                    CUBLAS_VER_MAJOR);
}

/* function(arguments) of the library. ead_cublas_open() has been asked before: it is there. */
#define PASS_ON(function, ...)                                                                               \
    static decltype(&function) const real =                                                                  \
        reinterpret_cast<decltype(&function)>(dlsym(library(), #function));                                  \
    return real(__VA_ARGS__)

extern "C" {

cublasStatus_t cublasCreate_v2(cublasHandle_t *handle) {
    PASS_ON(cublasCreate_v2, handle);
}

cublasStatus_t cublasSetStream_v2(cublasHandle_t handle, cudaStream_t stream) {
    PASS_ON(cublasSetStream_v2, handle, stream);
}

cublasStatus_t cublasSetWorkspace_v2(cublasHandle_t handle, void *workspace, size_t bytes) {
    PASS_ON(cublasSetWorkspace_v2, handle, workspace, bytes);
}

cublasStatus_t cublasGemmEx_64(cublasHandle_t handle, cublasOperation_t transa, cublasOperation_t transb,
                               int64_t m, int64_t n, int64_t k, const void *alpha, const void *a,
                               cudaDataType a_type, int64_t lda, const void *b, cudaDataType b_type,
                               int64_t ldb, const void *beta, void *c, cudaDataType c_type, int64_t ldc,
                               cublasComputeType_t compute, cublasGemmAlgo_t algorithm) {
    PASS_ON(cublasGemmEx_64, handle, transa, transb, m, n, k, alpha, a, a_type, lda, b, b_type, ldb, beta, c,
            c_type, ldc, compute, algorithm);
}

} // extern "C"

/* ---- ead_cuda_gemm: one handle a device for the life of the process, given the caller's stream and
 * workspace at each call, so that products of parallel branches of a captured graph share nothing ---- */

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
