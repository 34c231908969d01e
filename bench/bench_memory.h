/* The most memory that was resident at once, for one stretch of a process. */
#ifndef EAD_BENCH_BENCH_MEMORY_H
#define EAD_BENCH_BENCH_MEMORY_H

/* Starts a new stretch. Where the kernel does not let us (no /proc), the peak stays that of the process. */
void ead_bench_memory_reset(void);

/* Peak resident bytes since the last reset. */
double ead_bench_memory_peak(void);

#endif
