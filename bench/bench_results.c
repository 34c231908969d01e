/* The list and the statistics. */
#include "bench/bench_results.h"

#include "core/base/memory.h"

#include <math.h>
#include <stdlib.h>

static void clear_Text(EadBenchText *text) {
    (*text)[0] = '\0';
}
static void clear_Whole(EadBenchWhole *whole) {
    *whole = -1;
}
static void clear_Number(EadBenchNumber *number) {
    *number = NAN;
}

EadBenchResult ead_bench_result(void) {
    EadBenchResult result;
#define EAD_COLUMN(kind, name) clear_##kind(&result.name);
#include "bench/bench_columns.def"
#undef EAD_COLUMN
    return result;
}

EadStatus ead_bench_results_add(EadBenchResults *results, const EadBenchResult *result) {
    EAD_TRY(ead_grow(&results->items, &results->capacity, results->count, sizeof *result, "results"));
    results->items[results->count++] = *result;
    return EAD_OK;
}

void ead_bench_results_free(EadBenchResults *results) {
    free(results->items);
    *results = (EadBenchResults){0};
}

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double percentile(const double *sorted, int count, double fraction) {
    double position = fraction * (count - 1);
    int below = (int)position, above = below + 1 < count ? below + 1 : below;
    return sorted[below] + (position - below) * (sorted[above] - sorted[below]);
}

void ead_bench_summarize(double *times, int count, EadBenchResult *result) {
    qsort(times, (size_t)count, sizeof *times, ascending);
    result->repeats = count;
    result->median_ms = percentile(times, count, 0.5);
    result->p10_ms = percentile(times, count, 0.1);
    result->p90_ms = percentile(times, count, 0.9);
    result->min_ms = times[0];
}
