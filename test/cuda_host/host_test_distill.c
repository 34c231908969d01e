/* The step of a distillation on the host runner against the CPU: what is written, trained, downloaded and
 * uploaded on the way of a run with a checkpoint. */
#include "test/cuda_host/host_runner_c.h"
#include "test/support/scratch.h"
#include "test/support/suite.h"

#include "core/base/half.h"
#include "test/support/training_step.h"

#include <math.h>
#include <string.h>

enum { IMAGE = 32, PIXELS = IMAGE * IMAGE * 3, FEATURES = IMAGE / 4 * (IMAGE / 4) * EAD_FEATURES, STEPS = 3 };

#define RATE 1e-3

typedef struct Distilled {
    EadParams params;
    DistillLoss losses[1 + EAD_LOSS_ROWS];
} Distilled;

static uint8_t *make_slot(void) {
    uint8_t *slot = malloc(PIXELS + FEATURES * sizeof(uint16_t));
    ck_assert_ptr_nonnull(slot);
    for (int i = 0; i < PIXELS; i++) slot[i] = (uint8_t)(i * 37 % 251);
    for (int i = 0; i < FEATURES; i++) {
        uint16_t half = ead_half_from_float((float)(i * 29 % 257 - 128) / 64);
        memcpy(slot + PIXELS + (size_t)i * sizeof half, &half, sizeof half);
    }
    return slot;
}

/* A checkpoint comes after the first step: parameters and moments go to the host and back. */
static void distill(const EadPlanOptions *plan, Distilled *out) {
    EadPdn teacher = {EAD_PDN_SMALL, true, "teacher", EAD_FEATURES, &out->params, true};
    EadDistillOptions options = {.batch = ead_ranks_share(NULL, 1), .height = IMAGE, .width = IMAGE};
    options.adam = ead_adam_usual(1e-5);
    options.schedule = (EadLrSchedule){.base = RATE, .factor = 0.1, .drop_step = 2};
    float mean[EAD_FEATURES], std[EAD_FEATURES];
    for (int c = 0; c < EAD_FEATURES; c++) mean[c] = (float)c / 1000, std[c] = 1 + (float)c / 500;
    DistillStep *step;
    int count;
    uint8_t *slot = make_slot();
    out->params = (EadParams){0};
    ASSERT_OK(ead_pdn_declare(&teacher, &out->params));
    ASSERT_OK(ead_params_allocate(&out->params));
    ead_params_initialize(&out->params, 1);
    ASSERT_OK(distill_step_new(&teacher, &options, plan, &step));
    ead_distill_step_normalize(&step->distill, mean, std);
    ead_step_upload(&step->step);
    ead_step_run(&step->step, slot);
    ASSERT_OK(distill_step_losses(step, out->losses, &count));
    ck_assert_int_eq(count, 1);
    ASSERT_OK(ead_step_download(&step->step));
    ck_assert_int_eq(step->step.device_done, 1);
    ead_step_upload(&step->step);
    for (int s = 1; s < STEPS; s++) ead_step_run(&step->step, slot);
    ck_assert_int_eq(step->step.done, STEPS);
    ASSERT_OK(distill_step_losses(step, out->losses + 1, &count));
    ck_assert_int_eq(count, STEPS - 1);
    ASSERT_OK(ead_step_download(&step->step));
    ck_assert_int_eq(step->step.device_done, STEPS);
    distill_step_free(step);
    free(slot);
}

START_TEST(distillation_follows_the_cpu) {
    Distilled *expected = calloc(1, sizeof *expected), *got = calloc(1, sizeof *got);
    EadPlanOptions cuda = {.precision = EAD_PRECISION_FP32};
    ck_assert(expected && got);
    ASSERT_OK(ead_backend_cuda(0, &cuda.backend));
    distill(NULL, expected);
    distill(&cuda, got);
    for (int s = 0; s < STEPS; s++) {
        double off = fabs((double)got->losses[s].loss / (double)expected->losses[s].loss - 1);
        ck_assert_msg(off <= 1e-5, "step %d: loss %g, on the CPU %g", s, (double)got->losses[s].loss,
                      (double)expected->losses[s].loss);
        ck_assert(got->losses[s].rate == expected->losses[s].rate);
    }
    double difference = 0;
    for (int64_t i = 0; i < got->params.total; i++)
        difference =
            fmax(difference, fabs((double)got->params.values[i] - (double)expected->params.values[i]));
    /* A wrong gradient moves a parameter by whole steps, rounding where it is all but zero by a part of one.
     */
    ck_assert_msg(difference <= 0.05 * RATE, "parameters differ by %g", difference);
    ead_params_free(&expected->params), ead_params_free(&got->params);
    free(expected), free(got);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("cuda distillation on the host");
    TCase *tests = tcase_create("distill");
    tcase_set_timeout(tests, 0);
    tcase_add_test(tests, distillation_follows_the_cpu);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
