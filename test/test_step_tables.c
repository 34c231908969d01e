/* What a training step keeps instead of being given it: images drawn from tables give the steps that the same
 * images give when they come from the host, on the CPU and on a device; which tables are chosen; and why the
 * teacher's output on an image may be kept: on the CPU it has the same bits whether the teacher sees the
 * image alone or in a batch with another. (On a device the step shows it images one by one.) */
#include "core/color.h"
#include "core/ops/normalize_image/normalize_image.h"
#include "core/philox.h"
#include "test/support_amx_emulated.h"
#include "test/support_fake_device.h"
#include "test/tiny_model.h"
#include "train/step_tables.h"

#include <omp.h>

/* ---- the teacher ---- */

enum { MOST_BYTES = 2 * 256 * 256 * 3 };

static const struct Case {
    EadModelSpec spec;
    bool bf16;
} cases[] = {
    {{.size = EAD_PDN_SMALL, .height = 128, .width = 128}, false},
    {{.size = EAD_PDN_SMALL, .height = 128, .width = 128}, true},
    {{.size = EAD_PDN_SMALL, .height = 128, .width = 192, .padding = true}, false},
    {{.size = EAD_PDN_SMALL, .height = 256, .width = 256}, false},
    {{.size = EAD_PDN_MEDIUM, .height = 128, .width = 128}, false},
};

/* The teacher's outputs on `count` images, for free(). */
static real *teach(const EadModel *model, const EadPlanOptions *options, int count, const uint8_t *images) {
    EadGraph *graph = ead_graph_new();
    EadPlan *plan;
    EadNode *leaf = ead_leaf(graph, "images", EAD_U8, count, model->spec.height, model->spec.width, 3, NULL);
    EadNode *y = ead_keep(ead_model_teacher_output(graph, model, ead_normalize_image(graph, leaf)));
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

START_TEST(an_image_alone_gives_the_bits_of_a_batch) {
    static uint8_t images[MOST_BYTES];
    const struct Case *c = &cases[_i];
    EadPlanOptions options = {.precision = c->bf16 ? EAD_PRECISION_BF16 : EAD_PRECISION_FP32,
                              .amx = c->bf16 ? &ead_amx_emulated : NULL};
    size_t image = (size_t)c->spec.height * (size_t)c->spec.width * 3;
    size_t outputs =
        (size_t)ead_model_map_height(&c->spec) * (size_t)ead_model_map_width(&c->spec) * EAD_FEATURES;
    EadModel *model;
    ASSERT_OK(ead_model_new(&c->spec, &model));
    ead_params_initialize(&model->teacher, 1);
    fill_noise(images, 2 * image, 7);
    real *both = teach(model, &options, 2, images);
    for (size_t i = 0; i < 2; i++) {
        real *alone = teach(model, &options, 1, images + i * image);
        ck_assert_msg(memcmp(alone, both + i * outputs, outputs * sizeof *alone) == 0, "case %d, image %d",
                      _i, (int)i);
        free(alone);
    }
    ck_assert(memcmp(both, both + outputs, outputs * sizeof *both) != 0);
    free(both);
    ead_model_free(model);
}
END_TEST

/* ---- steps ---- */

enum { STEPS = 3, TRAIN = 4, PENALTY = 3, ROWS_TOO_MANY = 2, IMAGE = TINY_SIDE * TINY_SIDE * 3, SEED = 21 };

static uint8_t train_images[TRAIN][IMAGE], penalty_images[PENALTY][IMAGE];

static const struct Way {
    bool penalty, penalty_table, augment, autoencoder, on_device;
} ways[] = {
    {true, true, true, true, false},   {true, true, true, true, true},     {true, false, true, true, true},
    {false, false, false, true, true}, {false, false, false, false, true},
};

/* What data/training_images.h says of step `done` + 1, whole or for the penalty alone. */
static const uint8_t *make_batch(const struct Way *way, uint64_t done, bool penalty_only) {
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

static EadModel *make_model(const struct Way *way) {
    const EadModelSpec spec = {.height = TINY_SIDE, .width = TINY_SIDE, .autoencoder = way->autoencoder};
    EadModel *model;
    ASSERT_OK(ead_model_new(&spec, &model));
    ead_params_initialize(&model->teacher, 1);
    ead_params_initialize(&model->trained, 2);
    return model;
}

/* Fewer penalty images than planned, as when damaged ones are left out. */
static void fill_tables(EadTrainingStep *step, const struct Way *way) {
    for (int i = 0; i < TRAIN; i++) ead_training_step_set_row(step, EAD_TABLE_TRAIN, i, train_images[i]);
    for (int i = 0; i < PENALTY && way->penalty_table; i++)
        ead_training_step_set_row(step, EAD_TABLE_PENALTY, i, penalty_images[i]);
    if (way->penalty_table) ead_training_step_draw_from(step, EAD_TABLE_PENALTY, PENALTY);
    ead_training_step_upload(step);
}

/* The model after the steps, and their losses. */
static EadModel *run_steps(const struct Way *way, bool tables, const EadBackend *backend,
                           EadStepLosses losses[EAD_LOSS_ROWS]) {
    EadModel *model = make_model(way);
    EadTrainingStep *step;
    EadTrainingOptions options = ead_training_options_default(100, 1);
    int count;
    options.loss.penalty = way->penalty;
    if (tables) options.tables = (EadStepTables){{TRAIN, 0, 0}, SEED, way->augment};
    if (tables && way->penalty_table) options.tables.rows[EAD_TABLE_PENALTY] = PENALTY + ROWS_TOO_MANY;
    ASSERT_OK(ead_training_step_new(model, &options, &(EadPlanOptions){.backend = backend}, &step));
    if (tables) fill_tables(step, way);
    bool comes = !tables || (way->penalty && !way->penalty_table);
    ck_assert_int_eq(ead_training_step_batch_bytes(step) > 0, comes);
    for (uint64_t s = 0; s < STEPS; s++)
        ead_training_step_run(step, comes ? make_batch(way, s, tables) : NULL);
    ASSERT_OK(ead_training_step_losses(step, losses, &count));
    ck_assert_int_eq(count, STEPS);
    ASSERT_OK(ead_training_step_download(step));
    ead_training_step_free(step);
    return model;
}

START_TEST(drawn_images_give_the_steps_of_images_that_come) {
    static EadStepLosses expected[EAD_LOSS_ROWS], got[EAD_LOSS_ROWS];
    const struct Way *way = &ways[_i];
    fill_noise(&train_images[0][0], sizeof train_images, 11);
    fill_noise(&penalty_images[0][0], sizeof penalty_images, 12);
    fake_device_start((uint64_t)_i, SIZE_MAX);
    EadModel *a = run_steps(way, false, NULL, expected);
    EadModel *b = run_steps(way, true, way->on_device ? &fake_backend : NULL, got);
    ck_assert_mem_eq(expected, got, STEPS * sizeof *got);
    ck_assert(memcmp(a->trained.values, b->trained.values, (size_t)a->trained.total * sizeof(real)) == 0);
    ck_assert_int_eq(fake_device_leaks(), 0);
    ead_model_free(a);
    ead_model_free(b);
}
END_TEST

/* ---- choice ---- */

static EadStepTables choose(const EadBackend *backend, size_t room, bool teacher) {
    const EadModelSpec spec = {.height = 256, .width = 256};
    EadConfig config;
    EadTrainerData data = {.dataset.train.count = 10, .penalty_list.count = 1000};
    EadStepTables tables;
    ASSERT_OK(ead_config_defaults(&config));
    config.train_teacher_cache = teacher;
    fake_device_start(1, room);
    ASSERT_OK(ead_step_tables_choose(&config, backend, &spec, &data, &tables));
    ead_config_free(&config);
    ck_assert_uint_eq(tables.seed, 42);
    ck_assert(tables.augment);
    return tables;
}

static void check_rows(EadStepTables tables, int train, int penalty, int teacher) {
    ck_assert_int_eq(tables.rows[EAD_TABLE_TRAIN], train);
    ck_assert_int_eq(tables.rows[EAD_TABLE_PENALTY], penalty);
    ck_assert_int_eq(tables.rows[EAD_TABLE_TEACHER], teacher);
}

/* An image of 256x256 takes 196,608 bytes, the teacher's output on it 56 * 56 * 384 * 4. */
START_TEST(tables_are_chosen_by_what_is_free) {
    const size_t image = 196608, output = 4816896;
    check_rows(choose(&ead_backend_cpu, 0, false), 0, 0, 0);
    check_rows(choose(&ead_backend_cpu, 0, true), 0, 0, 10);
    check_rows(choose(&fake_backend, 20 * image - 1, false), 0, 0, 0);
    check_rows(choose(&fake_backend, 20 * image, false), 10, 0, 0);
    check_rows(choose(&fake_backend, 2020 * image - 1, false), 10, 0, 0);
    check_rows(choose(&fake_backend, 2020 * image, false), 10, 1000, 0);
    check_rows(choose(&fake_backend, 10 * output, true), 0, 0, 10);
    check_rows(choose(&fake_backend, 10 * output + 2020 * image, true), 10, 1000, 10);
}
END_TEST

int main(void) {
    omp_set_num_threads(2);
    Suite *suite = suite_create("step_tables");
    TCase *tests = tcase_create("step_tables");
    tcase_set_timeout(tests, 0);
    tcase_add_loop_test(tests, an_image_alone_gives_the_bits_of_a_batch, 0,
                        (int)(sizeof cases / sizeof *cases));
    tcase_add_loop_test(tests, drawn_images_give_the_steps_of_images_that_come, 0,
                        (int)(sizeof ways / sizeof *ways));
    tcase_add_test(tests, tables_are_chosen_by_what_is_free);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
