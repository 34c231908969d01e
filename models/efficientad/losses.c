/* The losses. The student sees all images as one batch; its last layer computes for each image only the half
 * of its outputs that a loss reads. */
#include "models/efficientad/losses.h"

#include "core/ops/add/add.h"
#include "core/ops/mean/mean.h"
#include "core/ops/masked_mean/masked_mean.h"
#include "core/ops/slice_batch/slice_batch.h"
#include "core/ops/squared_difference/squared_difference.h"

int ead_losses_batch(const EadModel *model, const EadLossOptions *options) {
    return 1 + (options->penalty ? 1 : 0) + (model->spec.autoencoder ? 1 : 0);
}

static EadNode *mean_square(EadGraph *graph, EadNode *a, EadNode *b) {
    return ead_mean(graph, ead_squared_difference(graph, a, b));
}

/* The teacher's outputs. */
typedef struct TeacherOutputs {
    EadNode *train, *augmented; /* augmented: NULL without autoencoder */
} TeacherOutputs;

/* x: the normalised batch, from whose image `train` on the teacher sees all. */
static TeacherOutputs teacher_outputs(EadGraph *graph, const EadModel *model, const EadLossOptions *options,
                                      EadNode *x, EadNode *known) {
    int train = options->penalty ? 1 : 0, count = model->spec.autoencoder ? 2 : 1;
    TeacherOutputs taught = {.train = known};
    if (!known && !options->teacher_per_image) {
        EadNode *both = ead_model_teacher_output(graph, model, ead_slice_batch(graph, x, train, count));
        taught.train = ead_slice_batch(graph, both, 0, 1);
        if (count > 1) taught.augmented = ead_slice_batch(graph, both, 1, 1);
        return taught;
    }
    if (!known) taught.train = ead_model_teacher_output(graph, model, ead_slice_batch(graph, x, train, 1));
    if (count > 1)
        taught.augmented = ead_model_teacher_output(graph, model, ead_slice_batch(graph, x, train + 1, 1));
    return taught;
}

static void student_teacher(EadGraph *graph, const EadLossOptions *options, EadNode *teacher,
                            EadNode *student, EadLosses *losses) {
    int train = options->penalty ? 1 : 0;
    EadNode *distance = ead_squared_difference(graph, teacher, ead_slice_batch(graph, student, train, 1));
    losses->hard = ead_hard_feature_loss(graph, distance, options->hard_quantile);
    if (options->penalty) losses->penalty = mean_square(graph, ead_slice_batch(graph, student, 0, 1), NULL);
}

static void autoencoder(EadGraph *graph, const EadModel *model, const EadLossOptions *options, EadNode *image,
                        EadNode *step, EadNode *teacher, EadNode *student, EadLosses *losses) {
    EadAutoencoder network = ead_model_autoencoder(model, true);
    network.dropout = options->dropout;
    network.seed = options->seed;
    network.step = step;
    EadNode *prediction = ead_autoencoder(graph, &network, image);
    losses->autoencoder = mean_square(graph, teacher, prediction);
    losses->student_autoencoder = mean_square(graph, prediction, student);
}

EadLosses ead_build_losses(EadGraph *graph, const EadModel *model, const EadLossOptions *options,
                           EadLossInputs inputs) {
    EadLosses losses = {NULL};
    EadPdn student = ead_model_student(model, true);
    int train = options->penalty ? 1 : 0;
    EadNode *x = inputs.x;
    TeacherOutputs teacher = teacher_outputs(graph, model, options, x, inputs.teacher);
    EadNode *trunk = ead_pdn_trunk(graph, &student, x);
    EadNode *first_half =
        ead_pdn_head(graph, &student, ead_slice_batch(graph, trunk, 0, train + 1), 0, EAD_FEATURES);
    student_teacher(graph, options, teacher.train, first_half, &losses);
    if (model->spec.autoencoder) {
        EadNode *second_half = ead_pdn_head(graph, &student, ead_slice_batch(graph, trunk, train + 1, 1),
                                            EAD_FEATURES, EAD_FEATURES);
        autoencoder(graph, model, options, ead_slice_batch(graph, x, train + 1, 1), inputs.step,
                    teacher.augmented, second_half, &losses);
    }
    EadNode *const parts[] = {losses.penalty, losses.autoencoder, losses.student_autoencoder};
    losses.total = ead_keep(losses.hard);
    for (int i = 0; i < 3; i++)
        if (parts[i]) losses.total = ead_keep(ead_add(graph, losses.total, ead_keep(parts[i])));
    return losses;
}
