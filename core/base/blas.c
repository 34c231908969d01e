/* OpenBLAS behind one call, and the check of its choice of kernels. Releases older than a CPU take it for
 * something much older: 0.3.21 runs some Xeons with AVX-512 as "Prescott", six times slower, and Zen 5 as
 * "Haswell", with half-width vectors. */
#include "core/base/blas.h"

#include <cblas.h>
#include <string.h>

void ead_gemm(const EadGemm *p) {
    CBLAS_TRANSPOSE a = p->transpose_a ? CblasTrans : CblasNoTrans,
                    b = p->transpose_b ? CblasTrans : CblasNoTrans;
    blasint m = (blasint)p->m, n = (blasint)p->n, k = (blasint)p->k;
    blasint lda = (blasint)p->lda, ldb = (blasint)p->ldb, ldc = (blasint)p->ldc;
#ifdef EAD_DOUBLE
    cblas_dgemm(CblasRowMajor, a, b, m, n, k, 1, p->a, lda, p->b, ldb, p->beta, p->c, ldc);
#else
    cblas_sgemm(CblasRowMajor, a, b, m, n, k, 1, p->a, lda, p->b, ldb, p->beta, p->c, ldc);
#endif
}

void ead_blas_prepare(void) {
    enum { PTHREADS_VARIANT = 1 };
    /* The OpenMP variant is single-threaded inside parallel regions by itself, and setting its number of
     * threads would set OpenMP's too. */
    if (openblas_get_parallel() == PTHREADS_VARIANT && openblas_get_num_threads() != 1)
        openblas_set_num_threads(1);
}

const char *ead_blas_core(void) {
    return openblas_get_corename();
}

#if defined(__x86_64__)
static bool is_one_of(const char *name, const char *const *list) {
    for (; *list; list++)
        if (strcmp(name, *list) == 0) return true;
    return false;
}

const char *ead_blas_better_core(void) {
    static const char *const avx512[] = {"SkylakeX", "Cooperlake", "SapphireRapids", NULL};
    static const char *const avx2[] = {"Haswell", "Zen", "Excavator", NULL};
    const char *core = ead_blas_core();
    __builtin_cpu_init();
    bool has_avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
                      __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
    if (has_avx512) return is_one_of(core, avx512) ? NULL : "SKYLAKEX";
    bool has_avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    return has_avx2 && !is_one_of(core, avx2) ? "HASWELL" : NULL;
}
#else
const char *ead_blas_better_core(void) {
    return NULL;
}
#endif
