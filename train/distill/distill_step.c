/* The graph of a distillation step. */
#include "train/distill/distill.h"

#include "core/ops/channel_affine/channel_affine.h"
#include "core/ops/mean/mean.h"
#include "core/ops/normalize_image/normalize_image.h"
#include "core/ops/squared_difference/squared_difference.h"

const EadLossColumn ead_distill_losses[] = {{"loss", "loss"}, {NULL, NULL}};

static EadNode *image_leaf(EadGraph *graph, const EadDistillOptions *o, const char *name, int factor) {
    return ead_leaf(graph, name, EAD_U8, o->batch.count, factor * o->height, factor * o->width, 3, NULL);
}

/* An EadStepBuilder: mean((Psi - T)^2), Psi the normalized features. They or the backbone's images come
 * behind the teacher's images. */
static void build(void *context, EadGraph *graph, EadNode *done, EadStepParts *parts) {
    EadDistillStep *s = context;
    const EadDistillOptions *o = &s->options;
    EadNode *images = parts->inputs[0] = image_leaf(graph, o, "images", 1), *features;
    EadNode *x = ead_normalize_image(graph, images);
    EadNode *y = ead_pdn_head(graph, &s->teacher, ead_pdn_trunk(graph, &s->teacher, x), 0, 0);
    if (o->backbone) {
        parts->inputs[1] = image_leaf(graph, o, "large images", 2);
        features = ead_patch_features_build(graph, o->backbone, ead_normalize_image(graph, parts->inputs[1]));
    } else {
        features = parts->inputs[1] =
            ead_leaf(graph, "features", EAD_F16, o->batch.count, y->y.h, y->y.w, EAD_FEATURES, NULL);
    }
    EadNode *scale = ead_leaf(graph, "scale", EAD_REAL, 1, 1, 1, EAD_FEATURES, s->scale);
    EadNode *shift = ead_leaf(graph, "shift", EAD_REAL, 1, 1, 1, EAD_FEATURES, s->shift);
    EadNode *target = ead_channel_affine(graph, features, scale, shift);
    parts->total = parts->losses[0] = ead_mean(graph, ead_squared_difference(graph, target, y));
    parts->groups[0] = (EadStepGroup){(EadParams *)s->teacher.params, o->adam, o->schedule};
    parts->group_count = 1;
    parts->share = o->batch;
    (void)done;
}

EadStatus ead_distill_step_new(const EadPdn *teacher, const EadDistillOptions *options,
                               const EadPlanOptions *plan, EadStep *step, EadDistillStep *out) {
    *out = (EadDistillStep){.teacher = *teacher, .options = *options, .step = step};
    for (int c = 0; c < EAD_FEATURES; c++) out->scale[c] = 1;
    return ead_step_new(step, ead_loss_count(ead_distill_losses), build, out, plan);
}

void ead_distill_step_normalize(EadDistillStep *step, const float mean[EAD_FEATURES],
                                const float std[EAD_FEATURES]) {
    for (int c = 0; c < EAD_FEATURES; c++) {
        double spread = std[c] > 0 ? (double)std[c] : 1;
        step->scale[c] = (real)(1 / spread);
        step->shift[c] = (real)(-(double)mean[c] / spread);
    }
}
