/* Timing of something done as a whole, over and over: inference, the training step. */
#ifndef EAD_BENCH_WHOLE_H
#define EAD_BENCH_WHOLE_H

#include "bench/bench_setup.h"

typedef struct EadBenchWork {
    const EadPlan *plan;
    size_t arena_bytes;
    int per_pass;                     /* how many of what is measured are done in a pass */
    EadStatus (*pass)(void *context); /* returns when all is done, on a device too */
    void *context;
} EadBenchWork;

/* Warms up, times `repeat` passes and adds the result. Peak memory is counted from the last
 * ead_bench_memory_reset(). Errors: EAD_NO_MEMORY, those of the passes. */
EadStatus ead_bench_time_whole(const EadBenchOptions *options, const EadBenchWork *work, int repeat,
                               EadBenchResult *result, EadBenchResults *results);

#endif
