/* CUDA kernels on CUDA. test/cuda_host/ holds a file of the same name that makes plain C++ of them; the
 * include path chooses between the two. Both define what is here and the part of CUDA's language that kernels
 * use. */
#pragma once

#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_runtime.h>

/* kernel<<<grid, block, shared_bytes, stream>>>(arguments). A kernel template with commas stands in
 * parentheses: EAD_LAUNCH((scale<float, 4>), ...). Errors come out at the next synchronize. */
/* clang-format off */
#define EAD_LAUNCH(kernel, grid, block, shared_bytes, stream, ...)                                           \
    ((kernel)<<<(grid), (block), (shared_bytes), static_cast<cudaStream_t>(stream)>>>(__VA_ARGS__))
/* clang-format on */

/* Before the first launch with more than 48 KB of dynamic shared memory. */
#define EAD_ALLOW_SHARED(kernel, bytes)                                                                      \
    cudaFuncSetAttribute((kernel), cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(bytes))

/* In a kernel: `type *name`, the launch's dynamic shared memory, aligned to 1024 bytes. */
#define EAD_DYNAMIC_SHARED(type, name)                                                                       \
    extern __shared__ __align__(1024) unsigned char ead_dynamic_shared[];                                    \
    type *name = reinterpret_cast<type *>(ead_dynamic_shared)
