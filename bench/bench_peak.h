/* The machine's peak, measured: what GFLOP/s are held against. */
#ifndef EAD_BENCH_BENCH_PEAK_H
#define EAD_BENCH_BENCH_PEAK_H

/* GFLOP/s of fp32 multiply-adds (2 each) in registers, with the widest vectors that the CPU has, on all
 * threads that OpenMP would use: the best of several short bursts. NAN where there is no such kernel (other
 * than x86-64 with FMA). */
double ead_bench_peak_gflop_per_s(void);

#endif
