/* What the system says of the processor. */
#pragma once

enum { EAD_CPU_MAX_FLAGS = 32 };

typedef struct EadCpuFacts {
    char model[128];                   /* "unknown" where the system does not tell */
    char flags[EAD_CPU_MAX_FLAGS][20]; /* instruction sets that matter here: "avx2", "amx_tile", ... */
    int flag_count;
} EadCpuFacts;

/* Reads /proc/cpuinfo, where the first processor speaks for all. */
EadCpuFacts ead_cpu_facts(void);
