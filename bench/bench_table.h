/* The bench's results for people. */
#ifndef EAD_BENCH_BENCH_TABLE_H
#define EAD_BENCH_BENCH_TABLE_H

#include "bench/bench_machine.h"
#include "bench/bench_results.h"

#include <stdio.h>

/* CPU, memory, threads and peak. */
void ead_bench_print_machine(FILE *stream, const EadBenchMachine *machine);

/* A table of the whole measurements, then one for each plan whose calls were timed, with sums by op. */
void ead_bench_print_results(FILE *stream, const EadBenchResults *results);

#endif
