/* Results of the bench: a growing list of rows, written as JSON and CSV for programs and as tables for
 * people. */
#pragma once

#include "core/base/status.h"

#include <stdint.h>
#include <stdio.h>

typedef char EadBenchText[144]; /* "" where absent */
typedef int64_t EadBenchWhole;  /* -1 where absent */
typedef double EadBenchNumber;  /* NAN where absent */

typedef struct EadBenchResult {
#define EAD_COLUMN(kind, name) EadBench##kind name;
#include "bench/bench_columns.def"
#undef EAD_COLUMN
} EadBenchResult;

typedef struct EadBenchResults {
    EadBenchResult *items; /* owned */
    int count, capacity;
} EadBenchResults;

/* A result in which everything is absent. */
EadBenchResult ead_bench_result(void);

/* Appends a copy. Errors: EAD_NO_MEMORY. */
EadStatus ead_bench_results_add(EadBenchResults *results, const EadBenchResult *result);
void ead_bench_results_free(EadBenchResults *results);

/* Sets repeats, median, 10th, 90th and 99th percentile (linear interpolation, as numpy), minimum and maximum from count >= 1
 * times in milliseconds, which are sorted on the way. */
void ead_bench_summarize(double *times, int count, EadBenchResult *result);

struct EadBenchMachine;

/* {"machine": {...}, "results": [{...}, ...]}. Complete or not at all. Errors: EAD_IO, EAD_NO_MEMORY. */
EadStatus ead_bench_write_json(const char *path, const struct EadBenchMachine *machine,
                               const EadBenchResults *results);

/* One line a result, a header line before; absent values are empty. Errors: EAD_IO, EAD_NO_MEMORY. */
EadStatus ead_bench_write_csv(const char *path, const EadBenchResults *results);

/* CPU, memory, threads and peak. */
void ead_bench_print_machine(FILE *stream, const struct EadBenchMachine *machine);

/* A table of the whole measurements, then one for each plan whose calls were timed, with sums by op. */
void ead_bench_print_results(FILE *stream, const EadBenchResults *results);
