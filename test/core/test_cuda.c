/* CUDA on a real GPU against the CPU: every op case with its gradients, whole training steps at the sizes
 * that are trained, maps in half precision; and against itself: captured or launched one by one, on one
 * stream or several, a second time, always the same bits. Without a GPU all of it is skipped. What needs none
 * (plans, kernels on the host runner) has its own suites. */
#include "models/detector.h"
#include "test/support/op_cases.h"
#include "test/support/resident_steps.h"
#include "test/support/sample_models.h"
#include "test/support/training_step.h"

#include <math.h>
#include <string.h>

/* NULL without a GPU. */
static const EadBackend *gpu(void) {
    const EadBackend *backend = NULL;
    return ead_backend_find("cuda", &backend) == EAD_OK ? backend : NULL;
}

#define NEED_GPU() SKIP_UNLESS(gpu(), ead_error_message())

/* Largest distance relative to the largest value; 0 if both are zero. */
static double distance(const real *a, const real *b, int64_t count) {
    double most = 0, worst = 0;
    for (int64_t i = 0; i < count; i++) {
        double off = fabs((double)a[i] - (double)b[i]);
        most = fmax(most, fabs((double)a[i]));
        if (!(off <= worst)) worst = off; /* NaN counts */
    }
    return worst > 0 ? worst / most : 0;
}

/* ---- ops ---- */

static void compare_node(const char *name, const OpCaseGraph *cpu, const EadNode *a, const OpCaseGraph *other,
                         const EadNode *b, bool exactly) {
    size_t bytes = ead_bytes(&a->y);
    void *expected = malloc(bytes), *found = malloc(bytes);
    ck_assert(expected && found);
    ASSERT_OK(ead_plan_read(cpu->plan, a, expected));
    ASSERT_OK(ead_plan_read(other->plan, b, found));
    if (exactly || a->y.type != EAD_REAL) {
        ck_assert_msg(memcmp(expected, found, bytes) == 0, "%s: node %d differs", name, a->index);
    } else {
        double off = distance(expected, found, ead_count(&a->y));
        ck_assert_msg(off <= 2e-5, "%s: node %d is off by %g", name, a->index, off);
    }
    free(expected);
    free(found);
}

static void compare_graphs(const char *name, const OpCaseGraph *a, const OpCaseGraph *b, bool exactly) {
    compare_node(name, a, a->y, b, b->y, exactly);
    for (int k = 0; k < OP_CASE_INPUTS; k++)
        if (a->dx[k]) compare_node(name, a, a->dx[k], b, b->dx[k], exactly);
}

static void run_case(const OpCase *op_case, const EadPlanOptions *options, int runs, OpCaseGraph *out) {
    EadStatus status = op_case_build(op_case, out);
    if (status == EAD_OK) status = op_case_plan(out, options);
    ck_assert_msg(status == EAD_OK, "%s: %s", op_case->name, ead_error_message());
    for (int i = 0; i < runs; i++) ead_plan_run(out->plan);
}

START_TEST(op_cases_agree_with_the_cpu) {
    NEED_GPU();
    const OpCase *op_case = op_case_at(_i);
    OpCaseGraph cpu, once, again;
    run_case(op_case, NULL, 1, &cpu);
    run_case(op_case, &(EadPlanOptions){.backend = gpu()}, 1, &once);
    run_case(op_case, &(EadPlanOptions){.backend = gpu()}, 1, &again);
    compare_graphs(op_case->name, &cpu, &once, false);
    compare_graphs(op_case->name, &once, &again, true);
    op_case_free(&cpu);
    op_case_free(&once);
    op_case_free(&again);
}
END_TEST

/* ---- training ---- */

typedef struct Training {
    EadEfficientad *model;
    TrainingStep *step;
    uint8_t *images;
    int64_t steps;
    StepLosses *losses; /* [steps] */
} Training;

static EadEfficientad *random_model(EadPdnSize size, int side) {
    const EadEfficientadSpec spec = {.size = size, .height = side, .width = side, .autoencoder = true};
    double mean[EAD_FEATURES] = {0}, std[EAD_FEATURES];
    EadEfficientad *model;
    for (int c = 0; c < EAD_FEATURES; c++) std[c] = 0.1;
    ASSERT_OK(ead_efficientad_new(&spec, &model));
    ead_params_initialize(&model->teacher, 1);
    ead_params_initialize(&model->trained, 2);
    ead_efficientad_set_teacher_statistics(model, mean, std);
    return model;
}

/* Other images in each step. */
static void draw_images(Training *t, int64_t step) {
    size_t bytes = ead_step_slot_bytes(&t->step->step);
    for (size_t i = 0; i < bytes; i++)
        t->images[i] = (uint8_t)(128 + 90 * sin(1e-4 * (double)(i % 70000) * (double)(step % 7 + 1)) +
                                 (double)(i * 31 % 17));
}

static Training train(EadPdnSize size, int side, int64_t steps, const EadPlanOptions *options) {
    Training t = {.model = random_model(size, side), .steps = steps};
    EadTrainingOptions training = ead_training_options_default(1000, 1);
    EadStatus status = training_step_new(t.model, &training, options, &t.step);
    ck_assert_msg(status == EAD_OK, "%s", ead_error_message());
    t.images = malloc(ead_step_slot_bytes(&t.step->step));
    t.losses = calloc((size_t)(steps + EAD_LOSS_ROWS), sizeof *t.losses);
    ck_assert(t.images && t.losses);
    for (int64_t done = 0, read = 0; done < steps; done++) {
        int count;
        draw_images(&t, done);
        ead_step_run(&t.step->step, t.images);
        if ((done + 1) % EAD_LOSS_ROWS != 0 && done + 1 < steps) continue;
        status = training_step_losses(t.step, t.losses + read, &count);
        ck_assert_msg(status == EAD_OK, "%s", ead_error_message());
        read += count;
    }
    ASSERT_OK(ead_step_download(&t.step->step));
    return t;
}

static void free_training(Training *t) {
    training_step_free(t->step);
    ead_efficientad_free(t->model);
    free(t->images);
    free(t->losses);
}

static void check_same_bits(const Training *a, const Training *b) {
    size_t bytes = (size_t)a->model->trained.total * sizeof(real);
    ck_assert_int_eq(memcmp(a->losses, b->losses, (size_t)a->steps * sizeof *a->losses), 0);
    ck_assert_int_eq(memcmp(a->model->trained.values, b->model->trained.values, bytes), 0);
}

static const EadPrecision training_precisions[] = {EAD_PRECISION_FP32, EAD_PRECISION_TF32,
                                                   EAD_PRECISION_BF16};

START_TEST(twenty_steps_have_the_same_bits_however_they_are_launched) {
    NEED_GPU();
    EadPlanOptions options = {.backend = gpu(), .precision = training_precisions[_i]};
    Training captured = train(EAD_PDN_SMALL, TINY_SIDE, 20, &options);
    Training again = train(EAD_PDN_SMALL, TINY_SIDE, 20, &options);
    check_same_bits(&captured, &again);
    options.no_capture = true;
    Training looped = train(EAD_PDN_SMALL, TINY_SIDE, 20, &options);
    check_same_bits(&captured, &looped);
    options.streams = 1;
    Training serial = train(EAD_PDN_SMALL, TINY_SIDE, 20, &options);
    check_same_bits(&captured, &serial);
    free_training(&captured);
    free_training(&again);
    free_training(&looped);
    free_training(&serial);
}
END_TEST

START_TEST(what_a_step_keeps_does_not_show) {
    NEED_GPU();
    EadPlanOptions options = {.backend = gpu(), .precision = training_precisions[_i]};
    check_drawn_steps((StepWay){true, true, true, true, true}, &options, &options);
    check_drawn_steps((StepWay){.penalty = true, .augment = true, .autoencoder = true}, &options, &options);
    check_drawn_steps((StepWay){.teacher_table = true}, &options, &options);
}
END_TEST

/* The gradients of one step at full size, all together: ||a - b|| / ||a||. */
static double gradient_distance(Training *a, Training *b) {
    const EadOptimizer *x = &a->step->step.optimizers[0], *y = &b->step->step.optimizers[0];
    double difference = 0, norm = 0;
    for (int64_t i = 0; i < x->count; i++) {
        double d = (double)x->gradients[i] - (double)y->gradients[i];
        difference += d * d;
        norm += (double)x->gradients[i] * (double)x->gradients[i];
    }
    return sqrt(difference / norm);
}

static void compare_steps(EadPdnSize size, int side) {
    /* 24, 11 and 8 bits of mantissa, through some twenty layers */
    static const double max_loss[] = {1e-4, 5e-3, 3e-2}, max_gradient[] = {1e-3, 3e-2, 2e-1};
    Training cpu = train(size, side, 1, NULL);
    for (int p = 0; p < 3; p++) {
        Training cuda =
            train(size, side, 1, &(EadPlanOptions){.backend = gpu(), .precision = training_precisions[p]});
        double loss = fabs((double)cuda.losses[0].total / (double)cpu.losses[0].total - 1);
        double gradient = gradient_distance(&cpu, &cuda);
        printf("  %s %d, %s: loss off by %.2g, gradients by %.2g\n", size == EAD_PDN_SMALL ? "S" : "M", side,
               ead_precision_name(training_precisions[p]), loss, gradient);
        ck_assert_double_le(loss, max_loss[p]);
        ck_assert_double_le(gradient, max_gradient[p]);
        free_training(&cuda);
    }
    free_training(&cpu);
}

START_TEST(a_step_of_s_agrees_with_the_cpu) {
    NEED_GPU();
    compare_steps(EAD_PDN_SMALL, 256);
}
END_TEST

START_TEST(a_step_of_m_agrees_with_the_cpu) {
    NEED_GPU();
    compare_steps(EAD_PDN_MEDIUM, 256);
}
END_TEST

START_TEST(losses_follow_the_cpus) {
    NEED_GPU();
    Training cpu = train(EAD_PDN_SMALL, TINY_SIDE, 200, NULL);
    Training cuda = train(EAD_PDN_SMALL, TINY_SIDE, 200, &(EadPlanOptions){.backend = gpu()});
    double worst = 0;
    for (int s = 0; s < 200; s++) {
        double off = fabs((double)cuda.losses[s].total / (double)cpu.losses[s].total - 1);
        if (!(off <= worst)) worst = off;
    }
    printf("  200 steps: losses off by at most %.2g\n", worst);
    ck_assert_double_le(worst, 0.01);
    ck_assert(cuda.losses[199].lr == cpu.losses[199].lr);
    free_training(&cpu);
    free_training(&cuda);
}
END_TEST

/* ---- inference ---- */

static float *detect(const EadEfficientad *model, const EadPlanOptions *options, int batch, int64_t count) {
    EadDetector *detector;
    uint8_t *images = malloc((size_t)count * 3);
    float *maps = malloc((size_t)count * sizeof *maps);
    const float *found;
    ck_assert(images && maps);
    for (int64_t i = 0; i < 3 * count; i++)
        images[i] = (uint8_t)(i * 2654435761u >> 24 & (i / 9000 % 2 ? 255 : 127));
    ASSERT_OK(ead_detector_new(&model->base, options, batch, &detector));
    for (int run = 0; run < 3; run++) ASSERT_OK(ead_detector_run_batch(detector, images, &found));
    memcpy(maps, found, (size_t)count * sizeof *maps);
    ead_detector_close(detector);
    free(images);
    return maps;
}

static void compare_maps(EadPdnSize size, int batch) {
    /* fp32, tf32, bf16, fp16: share of the range of the CPU's map */
    static const double most[] = {1e-4, 0.01, 0.05, 0.01};
    EadEfficientad *model = random_model(size, 256);
    double statistics[EAD_MAP_COUNT][2] = {{0.001, 0.002}, {0.001, 0.003}};
    ASSERT_OK(ead_efficientad_set_map_statistics(model, EAD_MAPS_QUANTILE, statistics));
    int64_t count = (int64_t)batch * 256 * 256;
    float *expected = detect(model, NULL, batch, count);
    float low = expected[0], high = expected[0];
    for (int64_t i = 0; i < count; i++) {
        low = fminf(low, expected[i]);
        high = fmaxf(high, expected[i]);
    }
    for (int p = EAD_PRECISION_FP32; p <= EAD_PRECISION_FP16; p++) {
        EadPlanOptions options = {.backend = gpu(), .precision = (EadPrecision)p};
        float *maps = detect(model, &options, batch, count);
        double worst = 0;
        for (int64_t i = 0; i < count; i++) {
            double off = fabs((double)maps[i] - (double)expected[i]) / (double)(high - low);
            if (!(off <= worst)) worst = off;
        }
        printf("  %s, batch %d, %s: maps off by %.2g of their range\n", size == EAD_PDN_SMALL ? "S" : "M",
               batch, ead_precision_name((EadPrecision)p), worst);
        ck_assert_double_le(worst, most[p]);
        free(maps);
    }
    free(expected);
    ead_efficientad_free(model);
}

START_TEST(maps_agree_with_the_cpus) {
    NEED_GPU();
    compare_maps(EAD_PDN_SMALL, 1);
    compare_maps(EAD_PDN_SMALL, 3);
    compare_maps(EAD_PDN_MEDIUM, 1);
}
END_TEST

/* ---- devices ---- */

START_TEST(missing_devices_are_a_clear_error) {
    const EadBackend *backend = NULL;
    ck_assert_int_eq(ead_backend_find("cuda:15", &backend), EAD_UNSUPPORTED);
    ck_assert_ptr_nonnull(strstr(ead_error_message(), "device 'cuda:15': "));
    ck_assert_int_eq(ead_backend_find("cuda:x", &backend), EAD_UNSUPPORTED);
    ck_assert_ptr_nonnull(strstr(ead_error_message(), "this build has the backends: cpu"));
    if (gpu()) return;
    ck_assert_int_eq(ead_backend_find("cuda", &backend), EAD_UNSUPPORTED);
    ck_assert_ptr_nonnull(strstr(ead_error_message(), "use --device cpu"));
}
END_TEST

static TCase *add_case(Suite *suite, const char *name) {
    TCase *tests = tcase_create(name);
    tcase_set_timeout(tests, 0);
    suite_add_tcase(suite, tests);
    return tests;
}

/* CK_RUN_CASE=ops runs the small sizes alone, for compute-sanitizer. */
int main(void) {
    Suite *suite = suite_create("cuda");
    tcase_add_test(add_case(suite, "devices"), missing_devices_are_a_clear_error);
    tcase_add_loop_test(add_case(suite, "ops"), op_cases_agree_with_the_cpu, 0, gpu() ? op_case_count() : 1);
    TCase *training = add_case(suite, "training");
    tcase_add_loop_test(training, twenty_steps_have_the_same_bits_however_they_are_launched, 0,
                        gpu() ? 3 : 1);
    tcase_add_loop_test(training, what_a_step_keeps_does_not_show, 0, gpu() ? 3 : 1);
    tcase_add_test(training, a_step_of_s_agrees_with_the_cpu);
    tcase_add_test(training, a_step_of_m_agrees_with_the_cpu);
    tcase_add_test(training, losses_follow_the_cpus);
    tcase_add_test(add_case(suite, "maps"), maps_agree_with_the_cpus);
    return run_suite(suite);
}
