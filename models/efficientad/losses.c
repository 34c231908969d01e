/* The losses. The student sees all images as one batch; its last layer computes for each image only the half
 * of its outputs that a loss reads. */
#include "models/efficientad/losses.h"

#include "core/ops/add/add.h"
#include "core/ops/fill_cells/fill_cells.h"
#include "core/ops/mean/mean.h"
#include "core/ops/masked_mean/masked_mean.h"
#include "core/ops/scale/scale.h"
#include "core/ops/slice_batch/slice_batch.h"
#include "core/ops/squared_difference/squared_difference.h"
#include "models/networks/inspected.h"

/* mean((a - b)^2); b NULL: mean(a^2). */
static EadNode *mean_square(EadGraph *graph, EadNode *a, EadNode *b) {
    return ead_mean(graph, ead_squared_difference(graph, a, b));
}

typedef struct TeacherOutputs {
    EadNode *train, *augmented; /* T(I), T(I'); augmented: NULL without autoencoder */
} TeacherOutputs;

static TeacherOutputs teacher_outputs(EadGraph *graph, const EadEfficientad *model,
                                      const EadLossOptions *options, EadBatchSlots slots,
                                      EadLossInputs inputs) {
    EadNode *x = inputs.x;
    TeacherOutputs out = {.train = inputs.teacher};
    if (!out.train && !options->teacher_per_image) {
        int count = slots.count - slots.train; /* training image, [augmented image] */
        EadNode *all =
            ead_efficientad_teacher_output(graph, model, ead_slice_batch(graph, x, slots.train, count));
        out.train = ead_slice_batch(graph, all, 0, 1);
        if (count > 1) out.augmented = ead_slice_batch(graph, all, 1, 1);
        return out;
    }
    if (!out.train)
        out.train = ead_efficientad_teacher_output(graph, model, ead_slice_batch(graph, x, slots.train, 1));
    if (slots.augmented >= 0)
        out.augmented =
            ead_efficientad_teacher_output(graph, model, ead_slice_batch(graph, x, slots.augmented, 1));
    return out;
}

/* Of what is inside of the region alone: what is outside is 0, which no distance is below, and so only moves the place of
 * the quantile. */
static EadNode *hard_loss(EadGraph *graph, const EadEfficientad *model, EadNode *distance, double q) {
    int border = ead_efficientad_unseen_cells(&model->spec), count;
    if (!model->base.region.mask || ead_graph_status(graph) != EAD_OK)
        return ead_hard_feature_loss(graph, distance, q);
    EadNode *cells = ead_inside_cells(graph, &model->base.region, distance, border, &count);
    if (ead_graph_status(graph) != EAD_OK) return distance;
    double all = (double)ead_count(&distance->y), inside = (double)count * distance->y.c;
    if (count == 0)
        ead_graph_fail(graph,
                       ead_fail(EAD_BAD_ARGUMENT,
                                "the region of interest lies in the border that networks without padding "
                                "do not see; widen roi.mask, or set model.padding"));
    distance = ead_fill_cells(graph, distance, cells, 0);
    if (q == 0) return ead_scale(graph, ead_mean(graph, distance), all / inside);
    return ead_hard_feature_loss(graph, distance, 1 - (1 - q) * (inside - 1) / (all - 1));
}

EadLosses ead_build_losses(EadGraph *graph, const EadEfficientad *model, const EadLossOptions *options,
                           EadLossInputs inputs) {
    EadLosses losses = {NULL};
    EadPdn student = ead_efficientad_student(model, true);
    EadBatchSlots slots = ead_batch_slots(options->penalty, model->spec.autoencoder);
    TeacherOutputs teacher = teacher_outputs(graph, model, options, slots, inputs);
    EadNode *trunk = ead_pdn_trunk(graph, &student, inputs.x);
    EadNode *s1 =
        ead_pdn_head(graph, &student, ead_slice_batch(graph, trunk, 0, slots.train + 1), 0, EAD_FEATURES);
    EadNode *distance =
        ead_squared_difference(graph, teacher.train, ead_slice_batch(graph, s1, slots.train, 1));
    losses.hard = hard_loss(graph, model, distance, options->hard_quantile);
    if (options->penalty)
        losses.penalty = mean_square(graph, ead_slice_batch(graph, s1, slots.penalty, 1), NULL);
    if (model->spec.autoencoder) {
        EadNode *s2 = ead_pdn_head(graph, &student, ead_slice_batch(graph, trunk, slots.augmented, 1),
                                   EAD_FEATURES, EAD_FEATURES);
        EadAutoencoder network = ead_efficientad_autoencoder(model, true);
        network.dropout = options->dropout;
        network.seed = options->seed;
        network.step = inputs.step;
        EadNode *prediction =
            ead_autoencoder(graph, &network, ead_slice_batch(graph, inputs.x, slots.augmented, 1));
        losses.autoencoder = mean_square(graph, teacher.augmented, prediction);
        losses.student_autoencoder = mean_square(graph, prediction, s2);
    }
    EadNode *const parts[] = {losses.penalty, losses.autoencoder, losses.student_autoencoder};
    losses.total = ead_keep(losses.hard);
    for (int i = 0; i < 3; i++)
        if (parts[i]) losses.total = ead_keep(ead_add(graph, losses.total, ead_keep(parts[i])));
    return losses;
}
