/* Warm-up, clock, metrics. */
#include "bench/bench_timing.h"

#include "bench/bench_machine.h"
#include "core/base/clock.h"

#include <stdlib.h>

static EadStatus pass(const EadBenchWork *work) {
    for (int i = 0; i < work->per_pass; i++) EAD_TRY(work->start(work->context));
    return work->wait ? work->wait(work->context) : EAD_OK;
}

static EadStatus time_passes(const EadBenchWork *work, int warm_up, int repeat, double *times) {
    for (int i = -warm_up; i < repeat; i++) {
        double started = ead_clock_seconds();
        EAD_TRY(pass(work));
        if (i >= 0) times[i] = 1e3 * (ead_clock_seconds() - started) / work->per_pass;
    }
    return EAD_OK;
}

EadStatus ead_bench_time_whole(const EadBenchOptions *options, const EadBenchWork *work, int default_repeat,
                               EadBenchResult *result, EadBenchResults *results) {
    int repeat = options->repeat ? options->repeat : default_repeat;
    double *times = calloc((size_t)repeat, sizeof *times);
    if (!times) return ead_fail(EAD_NO_MEMORY, "no memory for %d times", repeat);
    ead_bench_note(options, result, repeat);
    EadStatus status = time_passes(work, ead_bench_warm_up(options), repeat, times);
    if (status == EAD_OK) ead_bench_summarize(times, repeat, result);
    free(times);
    EAD_TRY(status);
    result->images_per_s = 1e3 * (double)result->batch / result->median_ms;
    result->gflop = 1e-9 * ead_bench_plan_flop(work->plan);
    result->gflop_per_s = 1e3 * result->gflop / result->median_ms;
    result->share_of_peak = result->gflop_per_s / options->peak_gflop_per_s;
    result->peak_rss_mb = 1e-6 * ead_bench_memory_peak();
    result->arena_mb = 1e-6 * (double)work->arena_bytes;
    return ead_bench_results_add(results, result);
}

int ead_bench_steps_of_a_pass(const EadBenchOptions *options) {
    return options->plan.backend->device ? 10 : 1;
}
