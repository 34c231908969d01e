/* The graph of the step. */
#include "train/simplenet/simplenet_step.h"

#include "core/ops/add/add.h"
#include "core/ops/channel_affine/channel_affine.h"
#include "core/ops/concat_batch/concat_batch.h"
#include "core/ops/constant/constant.h"
#include "core/ops/mean/mean.h"
#include "core/ops/noise_normal/noise_normal.h"
#include "core/ops/relu/relu.h"
#include "core/ops/slice_batch/slice_batch.h"

const EadLossColumn ead_simplenet_losses[] = {
    {"loss_true", "loss/true"},
    {"loss_fake", "loss/fake"},
    {"loss_total", "loss/total"},
    {NULL, NULL},
};

typedef struct SimplenetBuilder {
    EadSimplenet *model;
    const EadSimplenetOptions *options;
    EadTrainFeatures *features;
} SimplenetBuilder;

/* The mean of max(0, margin + sign x). */
static EadNode *hinge(EadGraph *graph, EadNode *x, double sign, double margin) {
    EadNode *distance = ead_channel_affine(graph, x, ead_constant(graph, sign), ead_constant(graph, margin));
    return ead_mean(graph, ead_relu(graph, distance));
}

/* An EadStepBuilder. True and noisy patches go through the discriminator as one batch, so that its batch norm sees
 * both. */
static void build(void *context, EadGraph *graph, EadNode *done, EadStepParts *parts) {
    const SimplenetBuilder *b = context;
    const EadSimplenetOptions *o = b->options;
    const EadTensor shape = {
        .h = b->model->grid_height, .w = b->model->grid_width, .c = b->model->spec.length};
    ead_train_features_forget_inputs(b->features);
    EadNode *patches = ead_train_features_input(b->features, graph, o->batch, &shape, parts);
    EadNode *both[2] = {ead_simplenet_adapt(graph, b->model, patches)};
    both[1] = ead_noise_normal(graph, both[0], done, o->noise, o->seed);
    EadNode *y = ead_simplenet_discriminate(graph, b->model, ead_concat_batch(graph, 2, both));
    parts->losses[0] = hinge(graph, ead_slice_batch(graph, y, 0, o->batch), -1, o->margin);
    parts->losses[1] = hinge(graph, ead_slice_batch(graph, y, o->batch, o->batch), 1, o->margin);
    parts->total = parts->losses[2] = ead_add(graph, parts->losses[0], parts->losses[1]);
    EadAdam adaptor = ead_adam_usual(o->adaptor_wd);
    adaptor.decoupled = true;
    parts->groups[0] = (EadStepGroup){&b->model->adaptor, adaptor, {o->adaptor_lr, 1, -1}};
    parts->groups[1] = (EadStepGroup){
        &b->model->discriminator, ead_adam_usual(o->discriminator_wd), {o->discriminator_lr, 1, -1}};
    parts->group_count = 2;
    parts->share = ead_ranks_share(NULL, o->batch);
}

EadStatus ead_simplenet_step_new(EadSimplenet *model, const EadSimplenetOptions *options,
                                 EadTrainFeatures *features, const EadPlanOptions *plan, EadStep *step) {
    SimplenetBuilder builder = {model, options, features};
    EAD_TRY(ead_step_new(step, ead_loss_count(ead_simplenet_losses), build, &builder, plan));
    EadSimplenetOptions last = *options;
    last.batch = options->last;
    builder.options = &last;
    return last.batch ? ead_step_add_last(step, options->epoch, build, &builder, plan) : EAD_OK;
}
