/* Four training steps against PyTorch in float64 (test/golden/steps.safetensors): the five losses of each
 * step, the gradients of the first, the parameters after the last. And what must hold bit for bit: planned =
 * unplanned, same seed = same bits. */
#include "test/support/sample_models.h"

#include "models/efficientad/losses.h"
#include "test/support/training_step.h"

enum { STEPS = 4, PROJECTION_SEED = 8 };

static EadSafetensors *open_golden(void) {
    EadSafetensors *file;
    ck_assert_msg(ead_safetensors_open("test/golden/steps.safetensors", &file) == EAD_OK, "%s",
                  ead_error_message());
    return file;
}

/* Penalty image 4 if asked for, training image 3, the same again as augmented image if asked for. */
static uint8_t *make_batch(const EadEfficientadSpec *spec, bool penalty) {
    size_t image = (size_t)spec->height * (size_t)spec->width * 3;
    uint8_t *batch = malloc(3 * image);
    ck_assert_ptr_nonnull(batch);
    int count = 0;
    if (penalty) golden_image(4, spec->height, spec->width, batch + image * (size_t)count++);
    golden_image(3, spec->height, spec->width, batch + image * (size_t)count++);
    if (spec->autoencoder) golden_image(3, spec->height, spec->width, batch + image * (size_t)count++);
    return batch;
}

static EadTrainingOptions golden_options(bool penalty, double dropout) {
    EadTrainingOptions options = ead_training_options_default(1000, 1);
    options.loss.penalty = penalty;
    options.loss.dropout = dropout;
    return options;
}

static void check_losses(const char *prefix, int step, const StepLosses *losses, const double *expected) {
    const float got[5] = {losses->hard, losses->penalty, losses->ae, losses->stae, losses->total};
    for (int i = 0; i < 5; i++) {
        double difference = fabs((double)got[i] - expected[i]);
        ck_assert_msg(difference <= 1e-4 * fabs(expected[i]), "%s: step %d, loss %d: %g instead of %g",
                      prefix, step + 1, i, (double)got[i], expected[i]);
    }
}

/* [sum, sum of squares, ..., projection] of a parameter-sized array. */
static void sums(const EadParam *p, const float *values, double *sum, double *squares, double *projection) {
    *sum = *squares = *projection = 0;
    int64_t count = (int64_t)p->n * p->h * p->w * p->c;
    for (int64_t i = 0; i < count; i++) {
        uint32_t word =
            ead_philox_word(PROJECTION_SEED, EAD_STREAM_PARAMETERS + ead_hash_name(p->name), (uint64_t)i);
        double v = (double)values[i];
        *sum += v;
        *squares += v * v;
        *projection += v * (2 * (double)ead_uniform(word) - 1);
    }
}

/* Gradients: on the scale of the array's norm. Parameters: Adam moves each by about the learning rate a step,
 * also where the gradient is mere rounding of zero and its sign chance, so the sums may differ by a part of
 * the random walk that this would be if all elements did so. */
static double tolerance(const char *kind, const EadParam *p, double squares) {
    double moved = STEPS * 1e-4 * sqrt((double)p->n * p->h * p->w * p->c);
    return strcmp(kind, "gradient") == 0 ? 2e-3 * sqrt(squares) + 1e-15 : 0.25 * moved;
}

static void check_sums(const EadSafetensors *file, const char *prefix, const char *kind, const EadParam *p,
                       const float *values, int count, int projection_at) {
    char name[96];
    double expected[8], sum, squares, projection;
    snprintf(name, sizeof name, "%s.%s", kind, p->name);
    golden_vector(file, prefix, name, count, expected);
    sums(p, values, &sum, &squares, &projection);
    double allowed = tolerance(kind, p, expected[1]);
    ck_assert_msg(fabs(squares - expected[1]) <= 1e-3 * expected[1] + 1e-20, "%s.%s: squares %g, expected %g",
                  prefix, name, squares, expected[1]);
    ck_assert_msg(fabs(sum - expected[0]) <= allowed, "%s.%s: sum %g, expected %g +- %g", prefix, name, sum,
                  expected[0], allowed);
    ck_assert_msg(fabs(projection - expected[projection_at]) <= allowed,
                  "%s.%s: projection %g, expected %g +- %g", prefix, name, projection,
                  expected[projection_at], allowed);
}

static StepLosses run_step(TrainingStep *step, const uint8_t *batch) {
    StepLosses rows[EAD_LOSS_ROWS];
    int count;
    ead_step_run(&step->step, batch);
    ck_assert_msg(training_step_losses(step, rows, &count) == EAD_OK, "%s", ead_error_message());
    ck_assert_int_eq(count, 1);
    return rows[0];
}

static void check_case(const char *prefix, EadEfficientadSpec spec, bool penalty) {
    EadSafetensors *file = open_golden();
    EadEfficientad *model = golden_model(file, prefix, spec);
    EadTrainingOptions options = golden_options(penalty, 0);
    TrainingStep *step;
    ck_assert_msg(training_step_new(model, &options, NULL, &step) == EAD_OK, "%s", ead_error_message());
    uint8_t *batch = make_batch(&spec, penalty);
    double expected[STEPS][5];
    golden_vector(file, prefix, "losses", (int64_t)STEPS * 5, &expected[0][0]);
    for (int s = 0; s < STEPS; s++) {
        StepLosses losses = run_step(step, batch);
        printf("  %s step %d: %.6f %.6f %.6f %.6f %.6f\n", prefix, s + 1, (double)losses.hard,
               (double)losses.penalty, (double)losses.ae, (double)losses.stae, (double)losses.total);
        check_losses(prefix, s, &losses, expected[s]);
        const float *gradients = step->step.optimizers[0].gradients;
        for (int k = 0; s == 0 && k < model->trained.count; k++)
            check_sums(file, prefix, "gradient", &model->trained.items[k],
                       gradients + model->trained.items[k].offset, 7, 6);
    }
    for (int k = 0; k < model->trained.count; k++)
        check_sums(file, prefix, "parameter", &model->trained.items[k],
                   model->trained.values + model->trained.items[k].offset, 3, 2);
    free(batch);
    training_step_free(step);
    ead_efficientad_free(model);
    ead_safetensors_close(file);
}

START_TEST(unpadded_256) {
    check_case("unpadded_256x256", (EadEfficientadSpec){EAD_PDN_SMALL, false, 256, 256, true}, true);
}
END_TEST

START_TEST(padded_256) {
    check_case("padded_256x256", (EadEfficientadSpec){EAD_PDN_SMALL, true, 256, 256, true}, true);
}
END_TEST

START_TEST(unpadded_128) {
    check_case("unpadded_128x128", (EadEfficientadSpec){EAD_PDN_SMALL, false, 128, 128, true}, true);
}
END_TEST

START_TEST(without_penalty) {
    check_case("unpadded_128x128_no_penalty", (EadEfficientadSpec){EAD_PDN_SMALL, false, 128, 128, true},
               false);
}
END_TEST

START_TEST(without_autoencoder) {
    check_case("unpadded_128x128_no_autoencoder", (EadEfficientadSpec){EAD_PDN_SMALL, false, 128, 128, false},
               true);
}
END_TEST

/* Runs three steps with dropout and copies out the trained parameters. */
static float *run_steps(bool no_reuse, uint64_t seed, float *last_loss) {
    EadEfficientadSpec spec = {EAD_PDN_SMALL, false, 128, 128, true};
    EadSafetensors *file = open_golden();
    EadEfficientad *model = golden_model(file, "unpadded_128x128", spec);
    EadTrainingOptions options = golden_options(true, 0.2);
    options.loss.seed = seed;
    TrainingStep *step;
    EadPlanOptions plan = {.no_reuse = no_reuse};
    ck_assert_int_eq(training_step_new(model, &options, &plan, &step), EAD_OK);
    uint8_t *batch = make_batch(&spec, true);
    for (int s = 0; s < 3; s++) *last_loss = run_step(step, batch).total;
    size_t bytes = (size_t)model->trained.total * sizeof(float);
    float *values = malloc(bytes);
    ck_assert_ptr_nonnull(values);
    memcpy(values, model->trained.values, bytes);
    free(batch);
    training_step_free(step);
    ead_efficientad_free(model);
    ead_safetensors_close(file);
    return values;
}

static int64_t count_parameters(void) {
    EadEfficientad *model;
    ck_assert_int_eq(ead_efficientad_new(&(EadEfficientadSpec){EAD_PDN_SMALL, false, 128, 128, true}, &model),
                     EAD_OK);
    int64_t total = model->trained.total;
    ead_efficientad_free(model);
    return total;
}

START_TEST(planned_equals_unplanned_and_seed_decides) {
    float losses[3];
    float *planned = run_steps(false, 5, &losses[0]), *unplanned = run_steps(true, 5, &losses[1]);
    float *other = run_steps(false, 6, &losses[2]);
    size_t bytes = (size_t)count_parameters() * sizeof(float);
    ck_assert_int_eq(memcmp(planned, unplanned, bytes), 0);
    ck_assert_int_ne(memcmp(planned, other, bytes), 0); /* another seed drops other neurons */
    free(planned);
    free(unplanned);
    free(other);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("training_steps");
    TCase *tests = tcase_create("training_steps");
    tcase_set_timeout(tests, 600);
    tcase_add_test(tests, unpadded_128);
    tcase_add_test(tests, without_penalty);
    tcase_add_test(tests, without_autoencoder);
    tcase_add_test(tests, unpadded_256);
    tcase_add_test(tests, padded_256);
    tcase_add_test(tests, planned_equals_unplanned_and_seed_decides);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
