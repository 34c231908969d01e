/* core/cuda/mma.cuh on the GPU: PTX that every card from sm_80 on has. */
#pragma once

static __device__ inline unsigned ead_shared_address(const void *shared) {
    return static_cast<unsigned>(__cvta_generic_to_shared(shared));
}

template <int BYTES>
static __device__ inline void ead_copy_async(void *shared, const void *global, bool inside) {
    static_assert(BYTES == 8 || BYTES == 16);
    asm volatile("cp.async.ca.shared.global [%0], [%1], %2, %3;" ::"r"(ead_shared_address(shared)),
                 "l"(global), "n"(BYTES), "r"(inside ? BYTES : 0)
                 : "memory");
}

static __device__ inline void ead_copy_async_streamed(void *shared, const void *global) {
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" ::"r"(ead_shared_address(shared)), "l"(global)
                 : "memory");
}

static __device__ inline void ead_copy_commit() {
    asm volatile("cp.async.commit_group;" ::: "memory");
}

template <int N> static __device__ inline void ead_copy_wait() {
    asm volatile("cp.async.wait_group %0;" ::"n"(N) : "memory");
}

static __device__ inline void ead_load_matrices(uint32_t (&r)[4], const void *row) {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
                 : "r"(ead_shared_address(row))
                 : "memory");
}

static __device__ inline void ead_load_matrices_transposed(uint32_t (&r)[4], const void *row) {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
                 : "r"(ead_shared_address(row))
                 : "memory");
}

template <typename T> static __device__ inline uint32_t ead_round_operand(uint32_t r) {
    return r;
}
template <> __device__ inline uint32_t ead_round_operand<float>(uint32_t r) {
    uint32_t rounded;
    asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(rounded) : "f"(__uint_as_float(r)));
    return rounded;
}

#define EAD_MMA(shape)                                                                                       \
    asm volatile("mma.sync.aligned." shape                                                                   \
                 " {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"                          \
                 : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])                                            \
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1))

template <typename T>
__device__ inline void ead_multiply(float (&c)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1);
template <>
__device__ inline void ead_multiply<__half>(float (&c)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1) {
    EAD_MMA("m16n8k16.row.col.f32.f16.f16.f32");
}
template <>
__device__ inline void ead_multiply<__nv_bfloat16>(float (&c)[4], const uint32_t (&a)[4], uint32_t b0,
                                                   uint32_t b1) {
    EAD_MMA("m16n8k16.row.col.f32.bf16.bf16.f32");
}
template <>
__device__ inline void ead_multiply<float>(float (&c)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1) {
    EAD_MMA("m16n8k8.row.col.f32.tf32.tf32.f32");
}

#undef EAD_MMA
