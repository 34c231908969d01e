/* The matrix product under the gemm algorithms: OpenBLAS in float or double.
 *
 * The kernels split work over OpenMP threads themselves and call this inside their parallel loops, one
 * product a thread; OpenBLAS never gets threads of its own, whichever of its variants is installed. */
#ifndef EAD_CORE_BLAS_H
#define EAD_CORE_BLAS_H

#include "core/base/real.h"

#include <stdbool.h>
#include <stdint.h>

/* One row-major matrix product c = op(a) op(b) + beta c; c [m,n], op(a) [m,k], op(b) [k,n]; l* are row
 * strides. */
typedef struct EadGemm {
    bool transpose_a, transpose_b;
    int64_t m, n, k;
    const real *a;
    int64_t lda;
    const real *b;
    int64_t ldb;
    real beta;
    real *c;
    int64_t ldc;
} EadGemm;

void ead_gemm(const EadGemm *product);

/* Must be called once before the first product of a process, outside parallel regions. */
void ead_blas_prepare(void);

/* The kernel set that OpenBLAS chose for this CPU, e.g. "Haswell". */
const char *ead_blas_core(void);

/* The value OPENBLAS_CORETYPE should have on this CPU if OpenBLAS took it for a lesser one, else NULL.
 * OpenBLAS reads the variable when it is loaded, so only a new process can follow the advice. */
const char *ead_blas_better_core(void);

#endif
