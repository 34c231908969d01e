/* What the processor and uname say; the peak, measured; resident memory. */
#include "bench/bench_machine.h"

#include "core/system/clock.h"
#include "core/system/cpu_facts.h"
#include "core/system/machine.h"

#include <math.h>
#include <omp.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/utsname.h>
#include <time.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

/* ---- the peak ---- */

#if defined(__x86_64__)
/* Loops of independent fused multiply-adds. Twelve chains hide a latency of up to six cycles on two ports. */
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

/* GFLOP/s of fp32 multiply-adds (2 each) in registers, with the widest vectors that the CPU has, on all
 * threads that OpenMP would use: the best of several short bursts, one a thread. NAN where there is no such
 * kernel. */
static double peak_gflop_per_s(void) {
    __builtin_cpu_init();
    bool wide = __builtin_cpu_supports("avx512f");
    if (!wide && !(__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))) return NAN;
    Burst *burst = wide ? burst_avx512 : burst_avx2;
    double best = INFINITY, lanes = wide ? 16 : 8;
    for (int i = 0; i < BURSTS; i++) {
        float sum = 0;
        double started = ead_clock_seconds();
#pragma omp parallel reduction(+ : sum)
        sum += burst(0.5F);
        if (isfinite(sum)) best = fmin(best, ead_clock_seconds() - started);
    }
    return 1e-9 * 2 * lanes * CHAINS * TURNS * omp_get_max_threads() / best;
}
#else
static double peak_gflop_per_s(void) {
    return NAN;
}
#endif

/* ---- the machine ---- */

EadBenchMachine ead_bench_machine(const EadBackend *backend) {
    EadBenchMachine machine = {.cpu = ead_cpu_facts(),
                               .cores = omp_get_num_procs(),
                               .threads = omp_get_max_threads(),
                               .memory_gb = 1e-9 * (double)ead_machine_memory(),
                               .peak_gflop_per_s = peak_gflop_per_s()};
    struct utsname name;
    struct tm utc;
    EadDeviceFacts facts;
    time_t now = time(NULL);
    if (uname(&name) == 0)
        snprintf(machine.system, sizeof machine.system, "%.40s %.60s %.20s", name.sysname, name.release,
                 name.machine);
    if (gmtime_r(&now, &utc)) strftime(machine.date, sizeof machine.date, "%Y-%m-%dT%H:%M:%SZ", &utc);
    snprintf(machine.device, sizeof machine.device, "%s", backend->name);
    if (!backend->device || backend->device->facts(backend->index, &facts) != EAD_OK) return machine;
    snprintf(machine.gpu, sizeof machine.gpu, "%s", facts.name);
    machine.gpu_capability = 10 * facts.major + facts.minor;
    machine.gpu_multiprocessors = facts.multiprocessors;
    machine.gpu_memory_gb = 1e-9 * (double)facts.memory;
    return machine;
}

/* ---- memory ---- */

void ead_bench_memory_reset(void) {
    FILE *stream = fopen("/proc/self/clear_refs", "w");
    if (!stream) return;
    fputs("5", stream); /* see proc(5): resets the mark to what is resident now */
    fclose(stream);
}
