/* Timing of something done as a whole, over and over: inference, the training step. */
#ifndef EAD_BENCH_WHOLE_H
#define EAD_BENCH_WHOLE_H

#include "bench/bench_setup.h"

typedef struct EadBenchWork {
    const EadPlan *plan;
    size_t arena_bytes;
    void (*pass)(void *context);
    void *context;
} EadBenchWork;

/* Warms up, times `repeat` passes and adds the result. Peak memory is counted from the last
 * ead_bench_memory_reset(). Errors: EAD_NO_MEMORY. */
EadStatus ead_bench_time_whole(const EadBenchOptions *options, const EadBenchWork *work, int repeat,
                               EadBenchResult *result, EadBenchResults *results);

#endif
