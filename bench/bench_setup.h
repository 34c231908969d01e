/* What the measurements share: a model with random weights, drawn images, the work in a plan, timing. */
#pragma once

#include "bench/benchmarks.h"
#include "train/fit.h"

/* Passes before the timed ones: a GPU raises its clocks only under load. */
int ead_bench_warm_up(const EadBenchOptions *options);

/* The defaults with the options' settings. Errors: EAD_BAD_ARGUMENT, EAD_NO_MEMORY; free it in every case. */
EadStatus ead_bench_config(const EadBenchOptions *options, EadConfig *out);

/* A fit with random parameters, as large as a trained one. Must stay where it is. */
typedef struct EadBenchFit {
    const EadFit *fit;
    EadConfig config; /* the defaults, with the options' size and precision */
    EadRunSpec spec;
    void *state;
    EadModel *model; /* NULL: it makes no detector */
    EadStep step;    /* on request */
    uint8_t *slot;   /* random images for it; NULL: nothing comes with a step */
} EadBenchFit;

/* Whether a fit has a training step, and the device its precision. Errors: EAD_BAD_ARGUMENT, EAD_UNSUPPORTED. */
EadStatus ead_bench_check_step(const EadFit *fit, const EadPlanOptions *plan);

/* Makes one of a method of train/fits.def; NULL: the one that the settings name. Close it in every case. */
EadStatus ead_bench_fit_open(const EadBenchOptions *options, const char *method, bool with_step,
                             EadBenchFit *out);
void ead_bench_fit_close(EadBenchFit *run);

/* A batch of drawn parts [batch][height][width][3], to be freed in every case. Errors: EAD_NO_MEMORY. */
EadStatus ead_bench_images(const EadBenchOptions *options, uint8_t **out);

/* Floating-point operations of a convolution or a search done directly, 2 x multiply-adds; 0 for other calls. Faster
 * algorithms are held against the same number. */
double ead_bench_call_flop(const EadCall *call, const EadNode *node);
double ead_bench_plan_flop(const EadPlan *plan);

/* A result with what all have in common; `bench` and `plan` as in bench_columns.def. run: what is
 * measured; NULL where the caller sets the model. */
EadBenchResult ead_bench_result_for(const EadBenchOptions *options, const EadBenchFit *run, const char *bench,
                                    const char *plan);

/* Sets which call of a plan a result is about: its number, op, algorithm, layer and shape. */
void ead_bench_describe_call(const EadPlan *plan, int index, EadBenchResult *result);

/* One line on stderr unless the user wants quiet. */
void ead_bench_note(const EadBenchOptions *options, const EadBenchResult *result, int repeat);

/* Something done as a whole, over and over: inference, the training step. */
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
