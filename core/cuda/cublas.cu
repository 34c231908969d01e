/* cuBLAS, loaded when it is first needed: it is half a gigabyte, takes a good part of a second to load, and
 * only fp32 convolutions call it. Linked in the ordinary way it would cost every start of the program that
 * time, and the program would not start at all where it is missing. These are its functions by name; each
 * passes its call on. */
#include "core/cuda/cublas.h"

#include <dlfcn.h>

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
