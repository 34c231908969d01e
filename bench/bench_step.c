/* The steps of training and distillation with the paper's settings: forward, backward, Adam. */
#include "bench/bench_machine.h"
#include "bench/bench_setup.h"

enum { TRAIN_REPEAT = 10, DISTILL_REPEAT = 5 };

static EadStatus start(void *context) {
    EadBenchFit *run = context;
    ead_step_run(&run->step, run->slot);
    return EAD_OK;
}

static EadStatus read_losses(void *context) {
    EadBenchFit *run = context;
    float rows[EAD_LOSS_ROWS * (EAD_MAX_LOSSES + 1)];
    int count;
    return ead_step_losses(&run->step, rows, &count);
}

static EadStatus time_step(const EadBenchOptions *options, const char *method, const char *bench, int repeat,
                           EadBenchResults *results) {
    EadBenchFit run;
    ead_bench_memory_reset();
    EadStatus status = ead_bench_fit_open(options, method, true, &run);
    if (status == EAD_OK) {
        EadBenchResult result = ead_bench_result_for(options, &run, bench, "");
        /* On a device ten steps follow each other without the host waiting. */
        EadBenchWork work = {.plan = run.step.plan,
                             .arena_bytes = ead_plan_bytes(run.step.plan),
                             .per_pass = options->plan.backend->device ? 10 : 1,
                             .start = start,
                             .wait = read_losses,
                             .context = &run};
        status = ead_bench_time_whole(options, &work, repeat, &result, results);
    }
    ead_bench_fit_close(&run);
    return status;
}

EadStatus ead_bench_step(const EadBenchOptions *options, EadBenchResults *results) {
    return time_step(options, NULL, "step", TRAIN_REPEAT, results);
}

EadStatus ead_bench_distill(const EadBenchOptions *options, EadBenchResults *results) {
    return time_step(options, "distill", "distill", DISTILL_REPEAT, results);
}
