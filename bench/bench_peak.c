/* Loops of independent fused multiply-adds. Twelve chains hide a latency of up to six cycles on two ports. */
#include "bench/bench_peak.h"

#include <math.h>

#if defined(__x86_64__)
#include "core/base/clock.h"

#include <immintrin.h>
#include <omp.h>
#include <stdbool.h>

enum { CHAINS = 12, BURSTS = 6, TURNS = 2000000 };

/* One burst: TURNS turns of CHAINS multiply-adds. Returns something that depends on all of them. */
typedef float Burst(float factor);

#define EAD_PEAK_BURST(NAME, TARGET, VECTOR, SET, FMA)                                                       \
    __attribute__((target(TARGET))) static float NAME(float factor) {                                        \
        VECTOR x[CHAINS], a = SET(factor), b = SET(0.5F);                                                    \
        _Pragma("GCC unroll 12") for (int k = 0; k < CHAINS; k++) x[k] = SET((float)k);                      \
        for (int turn = 0; turn < TURNS; turn++) {                                                           \
            _Pragma("GCC unroll 12") for (int k = 0; k < CHAINS; k++) x[k] = FMA(x[k], a, b);                \
        }                                                                                                    \
        float sum = 0;                                                                                       \
        _Pragma("GCC unroll 12") for (int k = 0; k < CHAINS; k++) sum += x[k][0];                            \
        return sum;                                                                                          \
    }

EAD_PEAK_BURST(burst_avx512, "avx512f", __m512, _mm512_set1_ps, _mm512_fmadd_ps)
EAD_PEAK_BURST(burst_avx2, "avx2,fma", __m256, _mm256_set1_ps, _mm256_fmadd_ps)

/* Seconds that all threads together take for one burst each. */
static double time_burst(Burst *burst) {
    float sum = 0;
    double started = ead_clock_seconds();
#pragma omp parallel reduction(+ : sum)
    sum += burst(0.5F);
    double seconds = ead_clock_seconds() - started;
    return isfinite(sum) ? seconds : NAN;
}

double ead_bench_peak_gflop_per_s(void) {
    __builtin_cpu_init();
    bool wide = __builtin_cpu_supports("avx512f");
    if (!wide && !(__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))) return NAN;
    Burst *burst = wide ? burst_avx512 : burst_avx2;
    double best = INFINITY, lanes = wide ? 16 : 8;
    for (int i = 0; i < BURSTS; i++) best = fmin(best, time_burst(burst));
    return 1e-9 * 2 * lanes * CHAINS * TURNS * omp_get_max_threads() / best;
}
#else
double ead_bench_peak_gflop_per_s(void) {
    return NAN;
}
#endif
