/* Choice of the level by what the CPU says of itself. */
#include "core/simd/simd.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#if defined(__x86_64__)

extern const EadSimd ead_simd_v2, ead_simd_v3, ead_simd_v4;

const EadSimd *ead_simd(void) {
    const char *wanted = getenv("EFFICIENTAD_CPU");
    __builtin_cpu_init();
    bool v3 =
        __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2");
    bool v4 = v3 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
              __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
              __builtin_cpu_supports("avx512vl");
    if (wanted && strcmp(wanted, "v2") == 0) return &ead_simd_v2;
    if (wanted && strcmp(wanted, "v3") == 0 && v3) return &ead_simd_v3;
    return v4 ? &ead_simd_v4 : v3 ? &ead_simd_v3 : &ead_simd_v2;
}

#else

extern const EadSimd ead_simd_base;

const EadSimd *ead_simd(void) {
    return &ead_simd_base;
}

#endif
