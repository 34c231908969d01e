/* What /proc/cpuinfo and uname say; the peak, measured; resident memory. */
#include "bench/bench_machine.h"

#include "core/system/clock.h"
#include "core/system/machine.h"

#include <math.h>
#include <omp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

/* x86 calls them flags, ARM Features. */
static const char *const flags_of_interest[] = {
    "sse4_2",   "avx",         "fma",         "f16c",        "avx2",     "avx_vnni", "avx512f",  "avx512vl",
    "avx512bw", "avx512_vnni", "avx512_bf16", "avx512_fp16", "amx_tile", "amx_bf16", "amx_int8", "asimd",
    "asimdhp",  "asimddp",     "sve",         "sve2",        "bf16",     "i8mm"};

static void add_flag(EadBenchMachine *machine, const char *flag) {
    for (size_t i = 0; i < sizeof flags_of_interest / sizeof *flags_of_interest; i++)
        if (strcmp(flag, flags_of_interest[i]) == 0 && machine->flag_count < EAD_BENCH_MAX_FLAGS)
            snprintf(machine->flags[machine->flag_count++], sizeof machine->flags[0], "%s", flag);
}

/* A line "key <tabs>: value": the value if the key is this one, without the line's end; else NULL. */
static char *value_of(char *line, const char *key) {
    char *colon = strchr(line, ':');
    if (strncmp(line, key, strlen(key)) != 0 || !colon) return NULL;
    colon[strcspn(colon, "\n")] = '\0';
    return colon + 1 + strspn(colon + 1, " ");
}

/* The first processor speaks for all. */
static void read_cpuinfo(EadBenchMachine *machine) {
    FILE *stream = fopen("/proc/cpuinfo", "r");
    char *line = NULL;
    size_t capacity = 0;
    while (stream && getline(&line, &capacity, stream) > 1) {
        char *model = value_of(line, "model name"), *rest = NULL;
        if (model) snprintf(machine->cpu, sizeof machine->cpu, "%s", model);
        char *flags = value_of(line, "flags");
        if (!flags) flags = value_of(line, "Features");
        for (char *flag = flags ? strtok_r(flags, " ", &rest) : NULL; flag; flag = strtok_r(NULL, " ", &rest))
            add_flag(machine, flag);
    }
    free(line);
    if (stream) fclose(stream);
}

EadBenchMachine ead_bench_machine(const EadBackend *backend) {
    EadBenchMachine machine = {.cpu = "unknown",
                               .cores = omp_get_num_procs(),
                               .threads = omp_get_max_threads(),
                               .memory_gb = 1e-9 * (double)ead_machine_memory(),
                               .peak_gflop_per_s = peak_gflop_per_s()};
    struct utsname name;
    struct tm utc;
    EadDeviceFacts facts;
    time_t now = time(NULL);
    read_cpuinfo(&machine);
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
