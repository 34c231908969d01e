/* The graph of a training step, its plan, and the state it updates. */
#include "train/efficientad/training_step.h"

#include "train/efficientad/step_images.h"

#include <assert.h>
#include <stdlib.h>

struct EadTrainingStep {
    EadEfficientad *model;
    EadOptimizer optimizer;
    EadGraph *graph;
    EadPlan *plan;
    EadStepImages images;
    EadLossRing losses; /* rows of EadStepLosses */
};

EadTrainingOptions ead_training_options_default(int64_t steps, uint64_t seed) {
    return (EadTrainingOptions){
        .loss = {.hard_quantile = 0.999, .penalty = true, .dropout = 0.2, .seed = seed},
        .adam = {.beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8, .weight_decay = 1e-5},
        .schedule = {.base = 1e-4, .factor = 0.1, .drop_step = steps * 95 / 100},
    };
}

/* In the order of EadStepLosses. */
static void keep_losses(EadTrainingStep *s, const EadLosses *l, EadNode *rate, EadNode *step) {
    EadNode *const values[] = {l->hard, l->penalty, l->autoencoder, l->student_autoencoder, l->total, rate};
    enum { COLUMNS = sizeof values / sizeof *values };
    static_assert(COLUMNS == sizeof(EadStepLosses) / sizeof(float), "one column a loss");
    ead_loss_ring_build(&s->losses, s->graph, step, COLUMNS, values);
}

static EadStatus build(EadTrainingStep *s, const EadTrainingOptions *options, const EadPlanOptions *plan) {
    EAD_TRY(ead_optimizer_new(&s->model->trained, &s->optimizer));
    s->graph = ead_graph_new();
    if (!s->graph) return ead_fail(EAD_NO_MEMORY, "no memory for a graph");
    EadNode *step = ead_optimizer_step(s->graph, &s->optimizer);
    EadLossOptions loss = options->loss;
    if (plan && plan->backend && plan->backend->device) loss.teacher_per_image = true;
    EadLossInputs inputs =
        ead_step_images_build(&s->images, s->graph, s->model, &loss, &options->tables, step);
    EadLosses losses = ead_build_losses(s->graph, s->model, &loss, inputs);
    EadNode *rate = ead_lr_schedule(s->graph, step, options->schedule);
    keep_losses(s, &losses, rate, step);
    ead_optimizer_append(s->graph, &s->optimizer, &s->model->trained, losses.total, step, rate,
                         options->adam);
    return ead_plan_new(s->graph, plan, &s->plan);
}

EadStatus ead_training_step_new(EadEfficientad *model, const EadTrainingOptions *options,
                                const EadPlanOptions *plan, EadTrainingStep **out) {
    EadTrainingStep *step = calloc(1, sizeof *step);
    if (!step) return ead_fail(EAD_NO_MEMORY, "no memory for a training step");
    step->model = model;
    EadStatus status = build(step, options, plan);
    if (status == EAD_OK)
        *out = step;
    else
        ead_training_step_free(step);
    return status;
}

void ead_training_step_free(EadTrainingStep *step) {
    if (!step) return;
    ead_plan_free(step->plan);
    ead_graph_free(step->graph);
    ead_optimizer_free(&step->optimizer);
    free(step);
}

void ead_training_step_set_row(EadTrainingStep *step, EadResidentImages table, int row, const void *value) {
    ead_plan_write_image(step->plan, step->images.tables[table], row, value);
}

void ead_training_step_draw_from(EadTrainingStep *step, EadResidentImages table, int count) {
    step->images.counts[table == EAD_TABLE_PENALTY] = count;
}

void ead_training_step_run(EadTrainingStep *step, const uint8_t *images) {
    if (step->images.given) ead_plan_write(step->plan, step->images.given, images);
    ead_plan_run(step->plan);
    ead_loss_ring_advance(&step->losses);
}

EadStatus ead_training_step_losses(EadTrainingStep *step, EadStepLosses rows[EAD_LOSS_ROWS], int *count) {
    return ead_loss_ring_read(&step->losses, step->plan, &rows->hard, count);
}

int64_t ead_training_step_count(const EadTrainingStep *step) {
    return step->losses.count;
}

EadStatus ead_training_step_download(EadTrainingStep *step) {
    return ead_plan_download(step->plan);
}

void ead_training_step_upload(EadTrainingStep *step) {
    ead_plan_update_weights(step->plan);
    ead_loss_ring_restart(&step->losses, step->optimizer.step);
}

EadOptimizer *ead_training_step_optimizer(EadTrainingStep *step) {
    return &step->optimizer;
}
size_t ead_training_step_batch_bytes(const EadTrainingStep *step) {
    return step->images.given ? ead_bytes(&step->images.given->y) : 0;
}
const EadPlan *ead_training_step_plan(const EadTrainingStep *step) {
    return step->plan;
}

size_t ead_training_step_bytes(const EadTrainingStep *step) {
    size_t parameters = (size_t)(step->model->teacher.total + 4 * step->model->trained.total) * sizeof(real);
    return parameters + ead_plan_bytes(step->plan);
}
