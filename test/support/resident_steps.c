/* The images, the batches that would be brought, and the tables with the same images. */
#include "test/support/resident_steps.h"

#include "core/image/color.h"
#include "core/ops/normalize_image/normalize_image.h"
#include "core/base/philox.h"
#include "data/loader/training_images.h"
#include "test/support/sample_models.h"
#include "test/support/training_step.h"

real *teacher_outputs(const EadEfficientad *model, const EadPlanOptions *options, int count,
                      const uint8_t *images) {
    EadGraph *graph = ead_graph_new();
    EadPlan *plan;
    EadNode *leaf = ead_leaf(graph, "images", EAD_U8, count, model->spec.height, model->spec.width, 3, NULL);
    EadNode *y = ead_keep(ead_efficientad_teacher_output(graph, model, ead_normalize_image(graph, leaf)));
    ASSERT_OK(ead_plan_new(graph, options, &plan));
    ead_plan_write(plan, leaf, images);
    ead_plan_run(plan);
    real *values = malloc(ead_bytes(&y->y));
    ck_assert_ptr_nonnull(values);
    ASSERT_OK(ead_plan_read(plan, y, values));
    ead_plan_free(plan);
    ead_graph_free(graph);
    return values;
}

enum { STEPS = 3, TRAIN = 4, PENALTY = 3, ROWS_TOO_MANY = 2, IMAGE = TINY_SIDE * TINY_SIDE * 3, SEED = 21 };

static uint8_t train_images[TRAIN][IMAGE], penalty_images[PENALTY][IMAGE];

/* What data/loader/training_images.h says of step `done` + 1, whole or for the penalty alone. */
static const uint8_t *make_batch(const StepWay *way, uint64_t done, bool penalty_only) {
    static uint8_t batch[3 * IMAGE];
    uint8_t *to = batch;
    uint32_t words[4];
    if (way->penalty) {
        memcpy(to, penalty_images[ead_shuffled_index(SEED, EAD_STREAM_PENALTY_ORDER, done, PENALTY)], IMAGE);
        ead_philox(SEED, EAD_STREAM_PENALTY_GRAY, done + 1, words);
        if (ead_uniform(words[0]) < EAD_PENALTY_GRAY_PROBABILITY) ead_color_gray(to, IMAGE / 3);
        to += IMAGE;
    }
    if (penalty_only) return batch;
    memcpy(to, train_images[ead_shuffled_index(SEED, EAD_STREAM_TRAIN_ORDER, done, TRAIN)], IMAGE);
    memcpy(to + IMAGE, to, IMAGE);
    if (way->augment) ead_color_jitter(to + IMAGE, IMAGE / 3, SEED, done + 1);
    return batch;
}

static EadEfficientad *make_model(const StepWay *way) {
    const EadEfficientadSpec spec = {
        .height = TINY_SIDE, .width = TINY_SIDE, .autoencoder = way->autoencoder};
    EadEfficientad *model;
    ASSERT_OK(ead_efficientad_new(&spec, &model));
    ead_params_initialize(&model->teacher, 1);
    ead_params_initialize(&model->trained, 2);
    return model;
}

/* Fewer penalty images than planned, as when damaged ones are left out. */
static void fill_tables(TrainingStep *step, const StepWay *way, const EadEfficientad *model,
                        const EadPlanOptions *options) {
    for (int i = 0; i < TRAIN && way->teacher_table; i++) {
        real *output = teacher_outputs(model, options, 1, train_images[i]);
        ead_training_step_set_row(&step->training, EAD_TABLE_TEACHER, i, output);
        free(output);
    }
    for (int i = 0; i < TRAIN; i++)
        ead_training_step_set_row(&step->training, EAD_TABLE_TRAIN, i, train_images[i]);
    for (int i = 0; i < PENALTY && way->penalty_table; i++)
        ead_training_step_set_row(&step->training, EAD_TABLE_PENALTY, i, penalty_images[i]);
    if (way->penalty_table) ead_training_step_draw_from(&step->training, EAD_TABLE_PENALTY, PENALTY);
    ead_step_upload(&step->step);
}

/* The model after the steps, and their losses. */
static EadEfficientad *run_steps(const StepWay *way, bool tables, const EadPlanOptions *plan,
                                 StepLosses losses[EAD_LOSS_ROWS]) {
    EadEfficientad *model = make_model(way);
    TrainingStep *step;
    EadTrainingOptions options = ead_training_options_default(100, 1);
    int count;
    options.loss.penalty = way->penalty;
    if (tables)
        options.tables = (EadResidentData){{TRAIN, 0, way->teacher_table ? TRAIN : 0}, SEED, way->augment};
    if (tables && way->penalty_table) options.tables.rows[EAD_TABLE_PENALTY] = PENALTY + ROWS_TOO_MANY;
    ASSERT_OK(training_step_new(model, &options, plan, &step));
    if (tables) fill_tables(step, way, model, plan);
    bool comes = !tables || (way->penalty && !way->penalty_table);
    ck_assert_int_eq(ead_step_slot_bytes(&step->step) > 0, comes);
    for (uint64_t s = 0; s < STEPS; s++) ead_step_run(&step->step, comes ? make_batch(way, s, tables) : NULL);
    ASSERT_OK(training_step_losses(step, losses, &count));
    ck_assert_int_eq(count, STEPS);
    ASSERT_OK(ead_step_download(&step->step));
    training_step_free(step);
    return model;
}

void check_drawn_steps(StepWay way, const EadPlanOptions *brought, const EadPlanOptions *drawn) {
    static StepLosses expected[EAD_LOSS_ROWS], got[EAD_LOSS_ROWS];
    fill_noise(&train_images[0][0], sizeof train_images, 11);
    fill_noise(&penalty_images[0][0], sizeof penalty_images, 12);
    EadEfficientad *a = run_steps(&way, false, brought, expected), *b = run_steps(&way, true, drawn, got);
    ck_assert_mem_eq(expected, got, STEPS * sizeof *got);
    ck_assert(memcmp(a->trained.values, b->trained.values, (size_t)a->trained.total * sizeof(real)) == 0);
    ead_efficientad_free(a);
    ead_efficientad_free(b);
}
