/* The graph of a training step, its plan, and the state it updates. */
#include "train/training_step.h"

#include <stdlib.h>
#include <string.h>

struct EadTrainingStep {
    EadModel *model;
    EadOptimizer optimizer;
    EadGraph *graph;
    EadPlan *plan;
    EadNode *images, *rate;
    EadLosses losses;
};

EadTrainingOptions ead_training_options_default(int64_t steps, uint64_t seed) {
    return (EadTrainingOptions){
        .loss = {.hard_quantile = 0.999, .penalty = true, .dropout = 0.2, .seed = seed},
        .adam = {.beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8, .weight_decay = 1e-5},
        .schedule = {.base = 1e-4, .factor = 0.1, .drop_step = steps * 95 / 100},
    };
}

static EadStatus build(EadTrainingStep *s, const EadTrainingOptions *options, const EadPlanOptions *plan) {
    const EadModelSpec *spec = &s->model->spec;
    EAD_TRY(ead_optimizer_new(&s->model->trained, &s->optimizer));
    s->graph = ead_graph_new();
    if (!s->graph) return ead_fail(EAD_NO_MEMORY, "no memory for a graph");
    int batch = ead_losses_batch(s->model, &options->loss);
    s->images = ead_leaf(s->graph, "images", EAD_U8, batch, spec->height, spec->width, 3, NULL);
    EadNode *step = ead_optimizer_step(s->graph, &s->optimizer);
    s->losses = ead_build_losses(s->graph, s->model, &options->loss, s->images, step);
    s->rate = ead_optimizer_append(s->graph, &s->optimizer, &s->model->trained, s->losses.total, step,
                                   options->adam, options->schedule);
    return ead_plan_new(s->graph, plan, &s->plan);
}

EadStatus ead_training_step_new(EadModel *model, const EadTrainingOptions *options,
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

static float value(const EadNode *node) {
    return node ? (float)*(const real *)node->y.data : 0;
}

EadStepLosses ead_training_step_run(EadTrainingStep *step, const uint8_t *images) {
    memcpy(step->images->y.data, images, ead_training_step_batch_bytes(step));
    ead_plan_run(step->plan);
    const EadLosses *l = &step->losses;
    return (EadStepLosses){value(l->hard),        value(l->penalty),
                           value(l->autoencoder), value(l->student_autoencoder),
                           value(l->total),       value(step->rate)};
}

EadOptimizer *ead_training_step_optimizer(EadTrainingStep *step) {
    return &step->optimizer;
}
size_t ead_training_step_batch_bytes(const EadTrainingStep *step) {
    return ead_bytes(&step->images->y);
}
const EadPlan *ead_training_step_plan(const EadTrainingStep *step) {
    return step->plan;
}

size_t ead_training_step_bytes(const EadTrainingStep *step) {
    size_t parameters = (size_t)(step->model->teacher.total + 4 * step->model->trained.total) * sizeof(real);
    return parameters + ead_plan_bytes(step->plan);
}
