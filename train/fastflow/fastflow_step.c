/* The graph of the step. */
#include "train/fastflow/fastflow_step.h"

const EadLossColumn ead_fastflow_losses[] = {
    {"loss_squares", "loss/squares"},
    {"log_determinant", "loss/log_determinant"},
    {"loss_total", "loss/total"},
    {NULL, NULL},
};

typedef struct FlowBuilder {
    EadFastflow *model;
    const EadFastflowOptions *options;
    EadTrainFeatures *features;
} FlowBuilder;

/* An EadStepBuilder. */
static void build(void *context, EadGraph *graph, EadNode *done, EadStepParts *parts) {
    const FlowBuilder *b = context;
    EadNode *features[EAD_TAPS_CHOSEN];
    (void)done;
    ead_train_features_forget_inputs(b->features);
    for (int t = 0; t < b->model->spec.taps.count; t++)
        features[t] = ead_train_features_input(b->features, graph, b->options->batch.count,
                                               &b->model->shapes[t], parts);
    EadFastflowLoss loss = ead_fastflow_loss(graph, b->model, features);
    parts->losses[0] = loss.squares;
    parts->losses[1] = loss.logdet;
    parts->losses[2] = parts->total = loss.total;
    parts->groups[0] = (EadStepGroup){&b->model->params, ead_adam_usual(b->options->weight_decay),
                                      (EadLrSchedule){b->options->rate, 1, -1}};
    parts->group_count = 1;
    parts->share = b->options->batch;
}

EadStatus ead_fastflow_step_new(EadFastflow *model, const EadFastflowOptions *options,
                                EadTrainFeatures *features, const EadPlanOptions *plan, EadStep *step) {
    FlowBuilder builder = {model, options, features};
    return ead_step_new(step, ead_loss_count(ead_fastflow_losses), build, &builder, plan);
}
