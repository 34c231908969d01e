/* The training step with the paper's settings: forward, backward, Adam. */
#include "bench/bench_machine.h"
#include "bench/bench_setup.h"

#include "train/efficientad/training_step.h"

#include <stdlib.h>

enum { DEFAULT_REPEAT = 10, PAPER_STEPS = 70000, RESIDENT = 16 };

typedef struct Training {
    EadTrainingStep *step;
    uint8_t *images; /* NULL: the step has its own */
} Training;

static EadStatus train(void *context) {
    Training *run = context;
    ead_training_step_run(run->step, run->images);
    return EAD_OK;
}

static EadStatus read_losses(void *context) {
    Training *run = context;
    EadStepLosses losses[EAD_LOSS_ROWS];
    int count;
    return ead_training_step_losses(run->step, losses, &count);
}

/* As in a training on a device, whose images lie there from the start. */
static EadStatus fill_tables(const EadEfficientad *model, EadTrainingStep *step) {
    uint8_t *images;
    size_t bytes = ead_step_table_bytes(&model->spec, EAD_TABLE_TRAIN, 1);
    EAD_TRY(ead_bench_images(RESIDENT * bytes, &images));
    for (int i = 0; i < RESIDENT; i++) {
        ead_training_step_set_row(step, EAD_TABLE_TRAIN, i, images + (size_t)i * bytes);
        ead_training_step_set_row(step, EAD_TABLE_PENALTY, i, images + (size_t)i * bytes);
    }
    free(images);
    return EAD_OK;
}

static EadStatus prepare(const EadBenchOptions *options, EadEfficientad *model, Training *run) {
    EadTrainingOptions training = ead_training_options_default(PAPER_STEPS, 1);
    bool resident = options->plan.backend && options->plan.backend->device;
    if (resident) training.tables = (EadResidentData){{RESIDENT, RESIDENT, 0}, .seed = 1, .augment = true};
    EAD_TRY(ead_precision_check(options->plan.backend, options->plan.precision, true, "--precision"));
    EAD_TRY(ead_training_step_new(model, &training, &options->plan, &run->step));
    return resident ? fill_tables(model, run->step)
                    : ead_bench_images(ead_training_step_batch_bytes(run->step), &run->images);
}

EadStatus ead_bench_step(const EadBenchOptions *options, EadBenchResults *results) {
    Training run = {0};
    EadEfficientad *model = NULL;
    ead_bench_memory_reset();
    EadStatus status = ead_bench_model(options, &model);
    if (status == EAD_OK) status = prepare(options, model, &run);
    if (status == EAD_OK) {
        EadBenchResult result = ead_bench_result_for(options, "step", "");
        const EadPlan *plan = ead_training_step_plan(run.step);
        EadBenchWork work = {.plan = plan,
                             .arena_bytes = ead_plan_bytes(plan),
                             .per_pass = ead_bench_steps_of_a_pass(options),
                             .start = train,
                             .wait = read_losses,
                             .context = &run};
        status = ead_bench_time_whole(options, &work, DEFAULT_REPEAT, &result, results);
    }
    ead_training_step_free(run.step);
    ead_efficientad_free(model);
    free(run.images);
    return status;
}
