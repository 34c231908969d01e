/* Timing of something done as a whole, over and over: inference, the training step. */
#ifndef EAD_BENCH_BENCH_TIMING_H
#define EAD_BENCH_BENCH_TIMING_H

#include "bench/bench_setup.h"

typedef struct EadBenchWork {
    const EadPlan *plan;
    size_t arena_bytes;
    int per_pass;                      /* how many of what is measured follow each other in a pass */
    EadStatus (*start)(void *context); /* one of them; on a device it may go on afterwards */
    EadStatus (*wait)(void *context);  /* for all that were started; NULL: start returns when all is done */
    void *context;
} EadBenchWork;

/* Warms up, times options->repeat passes, or default_repeat where that is 0, and adds the result. Peak memory
 * is counted from the last ead_bench_memory_reset(). Errors: EAD_NO_MEMORY, those of the passes. */
EadStatus ead_bench_time_whole(const EadBenchOptions *options, const EadBenchWork *work, int default_repeat,
                               EadBenchResult *result, EadBenchResults *results);

/* Steps of a training or distillation that make one timed pass: one, or on a device ten, which follow each
 * other without the host waiting. */
int ead_bench_steps_of_a_pass(const EadBenchOptions *options);

#endif
