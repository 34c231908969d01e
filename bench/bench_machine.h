/* The machine that a bench runs on: what has to stand beside every metric; and its resident memory. */
#pragma once

#include "core/backend/backend.h"
#include "core/system/cpu_facts.h"

typedef struct EadBenchMachine {
    EadCpuFacts cpu;
    int cores;               /* that this process may use */
    int threads;             /* that the kernels use */
    double memory_gb;        /* 10^9 bytes */
    double peak_gflop_per_s; /* of fp32 multiply-adds on all threads, measured; NAN if unknown */
    char device[16];         /* "cpu" or "cuda:0": where the work is done */
    char gpu[256];           /* which that is, "" on the CPU */
    int gpu_capability;      /* 10 x major + minor; 0 on the CPU */
    int gpu_multiprocessors;
    double gpu_memory_gb;
    char system[128]; /* kernel and architecture */
    char date[32];    /* now, UTC, ISO 8601 */
} EadBenchMachine;

/* Looks at the machine and measures the CPU's peak, in about 0.1 s. Set the number of threads before. */
EadBenchMachine ead_bench_machine(const EadBackend *backend);

/* Starts a new stretch of the process for ead_machine_peak(). Where the kernel does not let us (no /proc), the peak stays that of
 * the whole process. */
void ead_bench_memory_reset(void);
