/* Threads by OpenMP, pinned by the kernel's affinity masks. */
#define _GNU_SOURCE /* sched_setaffinity */
#include "train/support/threads.h"

#include <omp.h>
#include <sched.h>
#include <stddef.h>

#ifdef __linux__
/* CPU number `index` (counted around) of those in the set. */
static size_t nth_cpu(const cpu_set_t *set, int index) {
    size_t cpu = 0;
    for (int left = index % CPU_COUNT(set); left > 0 || !CPU_ISSET(cpu, set); cpu++)
        if (CPU_ISSET(cpu, set)) left--;
    return cpu;
}

static void pin_threads(void) {
    cpu_set_t allowed;
    if (sched_getaffinity(0, sizeof allowed, &allowed) != 0 || CPU_COUNT(&allowed) == 0) return;
#pragma omp parallel
    {
        cpu_set_t own;
        CPU_ZERO(&own);
        CPU_SET(nth_cpu(&allowed, omp_get_thread_num()), &own);
        sched_setaffinity(0, sizeof own, &own); /* 0: the calling thread; if refused it just stays unpinned */
    }
}
#else
static void pin_threads(void) {}
#endif

void ead_use_threads(int count, bool pin) {
    if (count > 0) omp_set_num_threads(count);
    if (pin) pin_threads();
}
