/* The matrix product of the gemm algorithm in plain loops, on the host runner's memory; and a GPU to plan
 * for. */
#include "core/cuda/blas.h"
#include "test/cuda_host/host_runner.h"
#include "test/cuda_host/host_types.cuh"

#include <bit>

static float number(EadPrecision precision, const void *from, int64_t at) {
    if (precision == EAD_PRECISION_FP16) return ead_half_to_float(static_cast<const uint16_t *>(from)[at]);
    if (precision == EAD_PRECISION_BF16)
        return ead_bfloat16_to_float(static_cast<const uint16_t *>(from)[at]);
    float value = static_cast<const float *>(from)[at];
    if (precision == EAD_PRECISION_FP32 || value != value) return value;
    return std::bit_cast<float>((std::bit_cast<uint32_t>(value) + 0x1000u) & 0xFFFFE000u); /* TF32 */
}

void ead_cuda_gemm(const EadCudaGemm *p) {
    if (reinterpret_cast<uintptr_t>(p->workspace) % 256)
        ead_host_fail("the workspace of a product is not aligned");
    ead_host_memory_enter();
    for (int64_t i = 0; i < p->m; i++)
        for (int64_t j = 0; j < p->n; j++) {
            float sum = 0;
            for (int64_t k = 0; k < p->k; k++) {
                float a = number(p->precision, p->a, p->transpose_a ? k * p->lda + i : i * p->lda + k);
                float b = number(p->precision, p->b, p->transpose_b ? j * p->ldb + k : k * p->ldb + j);
                sum += a * b;
            }
            float *c = &p->c[i * p->ldc + j];
            *c = p->beta == 0 ? sum : sum + p->beta * *c;
        }
    ead_host_memory_leave();
}

EadCudaLimits ead_cuda_limits(void) {
    return {132, EAD_HOST_SHARED_ALLOWED, true};
}
