/* core/cuda/wgmma.cuh on the GPU: PTX of sm_90a. Instantiated only by files that are compiled for nothing
 * else (the Makefile's NVCC_HOPPER). */
#pragma once

#include <type_traits>

static __device__ inline void ead_fence_async_proxy() {
    asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
}

/* Keeps the compiler from moving sums, which it takes for ordinary registers, past an instruction. Not to be
 * used while products are under way: ptxas would take them one by one ("serialized", C7515). */
template <int I, int J> static __device__ inline void ead_group_hold(float (&c)[I][J][4]) {
#pragma unroll
    for (int i = 0; i < I; i++)
#pragma unroll
        for (int j = 0; j < J; j++)
            asm volatile(""
                         : "+f"(c[i][j][0]), "+f"(c[i][j][1]), "+f"(c[i][j][2]), "+f"(c[i][j][3])::"memory");
}

template <int I, int J> static __device__ inline void ead_group_begin(float (&c)[I][J][4]) {
    ead_group_hold(c);
}

static __device__ inline void ead_group_fence() {
    asm volatile("wgmma.fence.sync.aligned;" ::: "memory");
}

static __device__ inline void ead_group_commit() {
    asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");
}

template <int N> static __device__ inline void ead_group_wait() {
    asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(N) : "memory");
}

template <int I, int J> static __device__ inline void ead_group_finish(float (&c)[I][J][4]) {
    ead_group_wait<0>();
    ead_group_hold(c);
}

/* Registers of the sums of 8 columns, and of 32. */
#define EAD_SUMS_8(j)  "+f"(c[j][0]), "+f"(c[j][1]), "+f"(c[j][2]), "+f"(c[j][3])
#define EAD_SUMS_32(j) EAD_SUMS_8(j), EAD_SUMS_8(j + 1), EAD_SUMS_8(j + 2), EAD_SUMS_8(j + 3)

#define EAD_WGMMA_64(type)                                                                                   \
    asm volatile("wgmma.mma_async.sync.aligned.m64n64k16.f32." type "." type                                 \
                 " {%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15,"                   \
                 " %16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31},"         \
                 " %32, %33, 1, 1, 1, %34, %34;"                                                             \
                 : EAD_SUMS_32(0), EAD_SUMS_32(4)                                                            \
                 : "l"(a), "l"(b), "n"(ACROSS ? 1 : 0))

#define EAD_WGMMA_128(type)                                                                                  \
    asm volatile("wgmma.mma_async.sync.aligned.m64n128k16.f32." type "." type                                \
                 " {%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15,"                   \
                 " %16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31,"          \
                 " %32, %33, %34, %35, %36, %37, %38, %39, %40, %41, %42, %43, %44, %45, %46, %47,"          \
                 " %48, %49, %50, %51, %52, %53, %54, %55, %56, %57, %58, %59, %60, %61, %62, %63},"         \
                 " %64, %65, 1, 1, 1, %66, %66;"                                                             \
                 : EAD_SUMS_32(0), EAD_SUMS_32(4), EAD_SUMS_32(8), EAD_SUMS_32(12)                           \
                 : "l"(a), "l"(b), "n"(ACROSS ? 1 : 0))

template <typename T, bool ACROSS, int J>
static __device__ inline void ead_group_multiply(float (&c)[J][4], uint64_t a, uint64_t b) {
    constexpr bool HALF = std::is_same_v<T, __half>;
    static_assert((HALF || std::is_same_v<T, __nv_bfloat16>)&&(J == 8 || J == 16));
    if constexpr (J == 8 && HALF)
        EAD_WGMMA_64("f16");
    else if constexpr (J == 8)
        EAD_WGMMA_64("bf16");
    else if constexpr (HALF)
        EAD_WGMMA_128("f16");
    else
        EAD_WGMMA_128("bf16");
}

#undef EAD_SUMS_8
#undef EAD_SUMS_32
#undef EAD_WGMMA_64
#undef EAD_WGMMA_128
