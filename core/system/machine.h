/* What this process may use of the machine: processors and memory, as affinity, cpusets and the limits of
 * containers (cgroups, versions 1 and 2) leave them. Threads beyond a quota of processor time wait for each
 * other, and memory beyond a limit ends the process. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* The limits of the control groups that a process is in: of its own and of all above it the tightest. */
typedef struct EadCgroupLimits {
    double cpus;                /* processors' worth of time; infinite: no limit */
    uint64_t memory, available; /* bytes: the limit, and what is left of it; UINT64_MAX: no limit */
} EadCgroupLimits;

/* Reads ROOT/proc/self/cgroup and mountinfo and the files that they lead to below ROOT; root "" is this
 * process. What is not there or not understood limits nothing. Files in the page cache that may go count as
 * available. */
EadCgroupLimits ead_cgroup_limits(const char *root);

/* Processors that this process can keep busy, >= 1: those of its affinity, and no more than its quota of time
 * covers whole (1.5: one; threads that share the half wait for each other longer than it helps). */
int ead_machine_cpus(void);

/* Threads to compute with where nobody asked for a number: what OpenMP was told (OMP_NUM_THREADS, or a call),
 * else ead_machine_cpus(). */
int ead_machine_threads(void);

/* Processes that wanted to run, on average of the last minute; NAN if it cannot be told. */
double ead_machine_load(void);

/* Bytes of memory that this process may have, in use or not: the machine's or the limit; 0 if it cannot be
 * told. */
size_t ead_machine_memory(void);

/* Bytes that it can have besides, of memory and swap, without running into a limit (of a group, or of address
 * space); SIZE_MAX if it cannot be told. */
size_t ead_machine_available(void);

/* Bytes of memory that this process takes at present; 0 if it cannot be told. */
size_t ead_machine_resident(void);

/* Most bytes of it that this process has held at once so far. */
size_t ead_machine_peak(void);

/* Bytes of address space that are left to this process (ulimit -v); SIZE_MAX: no limit. */
size_t ead_machine_address_space(void);
