/* The graph of the step. */
#include "train/gcad/gcad_step.h"

#include "core/ops/add/add.h"
#include "core/ops/normalize_image/normalize_image.h"
#include "core/ops/ramp/ramp.h"
#include "core/ops/scale/scale.h"

const EadLossColumn ead_gcad_losses[] = {
    {"loss_distillation", "loss/distillation"},
    {"loss_compactness", "loss/compactness"},
    {"loss_transfer", "loss/transfer"},
    {"loss_global", "loss/global"},
    {"loss_local", "loss/local"},
    {"loss_total", "loss/total"},
    {NULL, NULL},
};

/* Means over the fields; the total is their sum, of which the global one is a part once it has joined. */
enum { TRANSFER = 2, GLOBAL, LOCAL, TOTAL };

typedef struct GcadBuilder {
    EadGcad *model;
    EadParams *helpers;
    const EadGcadOptions *options;
} GcadBuilder;

/* Weights that follow the step counter. */
static EadGcadHelpers helpers_of(const GcadBuilder *b, EadGraph *graph, EadNode *done) {
    const EadGcadOptions *o = b->options;
    EadGcadHelpers helpers = {.params = b->helpers, .led = o->encoder_led};
    for (int i = 0; i < EAD_GCAD_LEVELS; i++)
        helpers.skips[i] = ead_ramp(graph, done,
                                    (EadRamp){.from = 1,
                                              .to = 0,
                                              .begin = o->skips_until * i / EAD_GCAD_LEVELS,
                                              .end = o->skips_until * (i + 1) / EAD_GCAD_LEVELS});
    helpers.joined =
        ead_ramp(graph, done, (EadRamp){.from = 0, .to = 1, .begin = o->global_from, .end = o->global_from});
    return helpers;
}

static void add_loss(EadGraph *graph, EadNode **sum, EadNode *loss) {
    *sum = *sum ? ead_add(graph, *sum, loss) : loss;
}

static EadStepGroup group_of(const GcadBuilder *b, EadParams *params, int64_t joins) {
    EadStepGroup group = {params, ead_adam_usual(b->options->weight_decay),
                          (EadLrSchedule){b->options->rate, 1, -1}};
    group.adam.joins = joins;
    return group;
}

/* An EadStepBuilder: the losses of all fields added up, for none has a parameter of another. */
static void build(void *context, EadGraph *graph, EadNode *done, EadStepParts *parts) {
    const GcadBuilder *b = context;
    EadGcad *model = b->model;
    int fields = model->spec.fields.count;
    EadGcadHelpers helpers = helpers_of(b, graph, done);
    parts->share = ead_ranks_share(NULL, b->options->batch);
    parts->inputs[0] =
        ead_leaf(graph, "images", EAD_U8, b->options->batch, model->base.height, model->base.width, 3, NULL);
    EadNode *x = ead_normalize_image(graph, parts->inputs[0]);
    for (int f = 0; f < fields; f++) {
        EadGcadLoss loss = ead_gcad_loss(graph, model, f, x, &helpers);
        add_loss(graph, &parts->losses[TRANSFER], loss.transfer);
        add_loss(graph, &parts->losses[GLOBAL], loss.global);
        add_loss(graph, &parts->losses[LOCAL], loss.local);
        add_loss(graph, &parts->total, loss.total);
    }
    for (int i = TRANSFER; i < TOTAL; i++)
        if (fields > 1) parts->losses[i] = ead_scale(graph, parts->losses[i], 1.0 / fields);
    parts->losses[TOTAL] = parts->total;
    parts->groups[0] = group_of(b, &model->first, 0);
    parts->groups[1] = group_of(b, b->helpers, 0);
    parts->groups[2] = group_of(b, &model->later, b->options->global_from);
    parts->group_count = 3;
}

EadStatus ead_gcad_step_new(EadGcad *model, EadParams *helpers, const EadGcadOptions *options,
                            const EadPlanOptions *plan, EadStep *step) {
    GcadBuilder builder = {model, helpers, options};
    return ead_step_new(step, ead_loss_count(ead_gcad_losses), build, &builder, plan);
}
