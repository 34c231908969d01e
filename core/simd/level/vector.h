/* The vector of this level. Compiled once for each level with EAD_LEVEL = v2, v3, v4 or base. */
#pragma once

#include "core/base/real.h"

#if defined(__AVX512F__)
#define VECTOR_BYTES  64
#define PANEL_VECTORS 4 /* 6 x 4 accumulators, 4 of b, 1 of a: 29 of 32 registers */
#elif defined(__AVX__)
#define VECTOR_BYTES  32
#define PANEL_VECTORS 2 /* 6 x 2 accumulators, 2 of b, 1 of a: 15 of 16 registers */
#elif defined(__aarch64__)
#define VECTOR_BYTES  16
#define PANEL_VECTORS 4 /* 6 x 4 accumulators, 4 of b, 1 of a: 29 of 32 registers */
#else
#define VECTOR_BYTES  16
#define PANEL_VECTORS 2
#endif

enum { LANES = VECTOR_BYTES / (int)sizeof(real), PANEL = PANEL_VECTORS * LANES };

typedef real Vector __attribute__((vector_size(VECTOR_BYTES)));
typedef real UnalignedVector __attribute__((vector_size(VECTOR_BYTES), aligned(sizeof(real)), may_alias));

static inline __attribute__((always_inline)) Vector load(const real *p) {
    return *(const UnalignedVector *)p;
}
static inline __attribute__((always_inline)) void store(real *p, Vector v) {
    *(UnalignedVector *)p = v;
}
static inline __attribute__((always_inline)) Vector zero(void) {
    return (Vector){0};
}

/* max(v, 0), but a NaN stays one, so that a diverged run shows. */
static inline __attribute__((always_inline)) Vector positive_part(Vector v) {
    __typeof__(v < 0) negative = v < 0;
    return (Vector)((__typeof__(negative))v & ~negative);
}

/* min(v, most), and a NaN stays one. */
static inline __attribute__((always_inline)) Vector at_most(Vector v, real most) {
    Vector limit = most - zero();
    __typeof__(v > limit) above = v > limit;
    return (Vector)(((__typeof__(above))limit & above) | ((__typeof__(above))v & ~above));
}

#define UNROLL _Pragma("GCC unroll 16")
