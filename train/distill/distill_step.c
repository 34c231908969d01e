/* The graph of a distillation step, its plan, and the state it updates. */
#include "train/distill/distill_step.h"

#include "core/ops/channel_affine/channel_affine.h"
#include "core/ops/mean/mean.h"
#include "core/ops/normalize_image/normalize_image.h"
#include "core/ops/squared_difference/squared_difference.h"

#include <stdlib.h>

struct EadDistillStep {
    EadOptimizer optimizer;
    EadGraph *graph;
    EadPlan *plan;
    EadNode *images;
    EadNode *behind;    /* in a slot: the backbone's images or, without one, features in half precision */
    EadLossRing losses; /* rows of EadDistillLoss */
    real scale[EAD_FEATURES], shift[EAD_FEATURES];
};

static EadNode *image_leaf(EadDistillStep *s, const EadDistillOptions *o, const char *name, int factor) {
    return ead_leaf(s->graph, name, EAD_U8, o->batch, factor * o->height, factor * o->width, 3, NULL);
}

static EadNode *channel_leaf(EadDistillStep *s, const char *name, real *values) {
    return ead_leaf(s->graph, name, EAD_REAL, 1, 1, 1, EAD_FEATURES, values);
}

/* The features, normalised. */
static EadNode *build_target(EadDistillStep *s, const EadDistillOptions *o, const EadTensor *output) {
    EadNode *target;
    if (o->backbone) {
        s->behind = image_leaf(s, o, "large images", 2);
        target = ead_patch_features_build(s->graph, o->backbone, ead_normalize_image(s->graph, s->behind));
    } else {
        s->behind = target =
            ead_leaf(s->graph, "features", EAD_F16, o->batch, output->h, output->w, EAD_FEATURES, NULL);
    }
    return ead_channel_affine(s->graph, target, channel_leaf(s, "scale", s->scale),
                              channel_leaf(s, "shift", s->shift));
}

static EadStatus build(EadDistillStep *s, const EadPdn *teacher, const EadDistillOptions *o,
                       const EadPlanOptions *plan) {
    EAD_TRY(ead_optimizer_new(teacher->params, &s->optimizer));
    s->graph = ead_graph_new();
    if (!s->graph) return ead_fail(EAD_NO_MEMORY, "no memory for a graph");
    s->images = image_leaf(s, o, "images", 1);
    EadNode *x = ead_normalize_image(s->graph, s->images);
    EadNode *y = ead_pdn_head(s->graph, teacher, ead_pdn_trunk(s->graph, teacher, x), 0, 0);
    EadNode *target = build_target(s, o, &y->y);
    EadNode *loss = ead_mean(s->graph, ead_squared_difference(s->graph, target, y));
    EadNode *step = ead_optimizer_step(s->graph, &s->optimizer);
    EadNode *rate = ead_lr_schedule(s->graph, step, o->schedule);
    ead_loss_ring_build(&s->losses, s->graph, step, 2, (EadNode *[]){loss, rate});
    ead_optimizer_append(s->graph, &s->optimizer, teacher->params, loss, step, rate, o->adam);
    return ead_plan_new(s->graph, plan, &s->plan);
}

EadStatus ead_distill_step_new(const EadPdn *teacher, const EadDistillOptions *options,
                               const EadPlanOptions *plan, EadDistillStep **out) {
    EadDistillStep *step = calloc(1, sizeof *step);
    if (!step) return ead_fail(EAD_NO_MEMORY, "no memory for a distillation step");
    for (int c = 0; c < EAD_FEATURES; c++) step->scale[c] = 1;
    EadStatus status = build(step, teacher, options, plan);
    if (status == EAD_OK)
        *out = step;
    else
        ead_distill_step_free(step);
    return status;
}

void ead_distill_step_free(EadDistillStep *step) {
    if (!step) return;
    ead_plan_free(step->plan);
    ead_graph_free(step->graph);
    ead_optimizer_free(&step->optimizer);
    free(step);
}

void ead_distill_step_normalize(EadDistillStep *step, const float mean[EAD_FEATURES],
                                const float std[EAD_FEATURES]) {
    for (int c = 0; c < EAD_FEATURES; c++) {
        double spread = std[c] > 0 ? (double)std[c] : 1;
        step->scale[c] = (real)(1 / spread);
        step->shift[c] = (real)(-(double)mean[c] / spread);
    }
}

void ead_distill_step_run(EadDistillStep *step, const uint8_t *slot) {
    ead_plan_write(step->plan, step->images, slot);
    ead_plan_write(step->plan, step->behind, slot + ead_bytes(&step->images->y));
    ead_plan_run(step->plan);
    ead_loss_ring_advance(&step->losses);
}

EadStatus ead_distill_step_losses(EadDistillStep *step, EadDistillLoss rows[EAD_LOSS_ROWS], int *count) {
    return ead_loss_ring_read(&step->losses, step->plan, &rows->loss, count);
}

int64_t ead_distill_step_count(const EadDistillStep *step) {
    return step->losses.count;
}

EadStatus ead_distill_step_download(EadDistillStep *step) {
    return ead_plan_download(step->plan);
}

void ead_distill_step_upload(EadDistillStep *step) {
    ead_plan_update_weights(step->plan);
    ead_loss_ring_restart(&step->losses, step->optimizer.step);
}

EadOptimizer *ead_distill_step_optimizer(EadDistillStep *step) {
    return &step->optimizer;
}
const EadPlan *ead_distill_step_plan(const EadDistillStep *step) {
    return step->plan;
}
