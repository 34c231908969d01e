/* GCAD in double: PyTorch's numbers to nine digits. */
#include "core/ops/ramp/ramp.h"
#include "test/methods/gcad_golden.h"

#include <omp.h>

static EadSafetensors *golden;
static uint8_t image[GCAD_PIXELS * 3];
static const GcadBounds bounds = {1e-10, 1e-9, 1e-8, 1e-8};

static void open_golden(void) {
    ck_assert_int_eq(ead_safetensors_open("test/golden/methods/gcad.safetensors", &golden), EAD_OK);
    golden_image(GCAD_TRAINED, GCAD_HEIGHT, GCAD_WIDTH, image);
}

static void close_golden(void) {
    ead_safetensors_close(golden);
}

START_TEST(networks_say_what_those_of_pytorch_say) {
    check_gcad_values(golden, image, bounds);
}
END_TEST

/* As train/gcad/gcad_step.c builds it, which is not compiled in double. */
static EadGcadHelpers helpers_of(EadGraph *graph, const EadParams *params, EadNode *step) {
    EadGcadHelpers helpers = {.params = params};
    for (int i = 0; i < EAD_GCAD_LEVELS; i++)
        helpers.skips[i] = ead_ramp(graph, step, (EadRamp){1, 0, 2 * i, 2 * i + 2});
    helpers.joined = ead_ramp(graph, step, (EadRamp){0, 1, GCAD_JOINS, GCAD_JOINS});
    return helpers;
}

START_TEST(steps_are_those_of_pytorch) {
    EadGcad *model = gcad_model("33");
    EadParams params = gcad_helpers(model), *trained[] = {&model->first, &params, &model->later};
    EadGraph *graph = ead_graph_new();
    EadNode *images = ead_leaf(graph, "images", EAD_U8, 1, GCAD_HEIGHT, GCAD_WIDTH, 3, NULL),
            *step = ead_leaf(graph, "step", EAD_I64, 1, 1, 1, 1, NULL);
    EadGcadHelpers helpers = helpers_of(graph, &params, step);
    EadGcadLoss loss = ead_gcad_loss(graph, model, 0, ead_normalize_image(graph, images), &helpers);
    EadNode *losses[] = {loss.transfer, loss.global, loss.local, loss.total};
    EadParamGroup groups[3];
    EadOptimizer optimizers[3];
    EadPlan *plan;
    real rate = (real)1e-4;
    for (int i = 0; i < 4; i++) ead_keep(losses[i]);
    for (int g = 0; g < 3; g++) {
        ck_assert_int_eq(ead_optimizer_new(trained[g], &optimizers[g]), EAD_OK);
        groups[g] = (EadParamGroup){trained[g], &optimizers[g], ead_adam_usual(1e-5),
                                    ead_leaf(graph, "rate", EAD_REAL, 1, 1, 1, 1, &rate)};
    }
    groups[2].adam.joins = GCAD_JOINS;
    ead_optimizer_append(graph, 3, groups, loss.total, step, (EadShare){0});
    ck_assert_msg(ead_plan_new(graph, NULL, &plan) == EAD_OK, "%s", ead_error_message());
    memcpy(images->y.data, image, sizeof image);
    double *expected = golden_numbers(golden, "losses", (GCAD_STEPS + 1) * 4), got[4];
    for (int s = 0; s <= GCAD_STEPS; s++) {
        for (int g = 0; g < 3 && s == GCAD_STEPS; g++)
            check_gcad_group(golden, g, trained[g], NULL, bounds.parameter);
        ead_plan_run(plan);
        for (int i = 0; i < 4; i++) got[i] = (double)*(const real *)losses[i]->y.data;
        check_numbers("losses", got, expected + (ptrdiff_t)4 * s, 4, bounds.loss);
        for (int g = 0; g < 2 && s == 0; g++)
            check_gcad_group(golden, g, trained[g], optimizers[g].gradients, bounds.gradient);
        if (s == GCAD_JOINS)
            check_gcad_group(golden, 2, trained[2], optimizers[2].gradients, bounds.gradient);
    }
    free(expected);
    ead_plan_free(plan);
    for (int g = 0; g < 3; g++) ead_optimizer_free(&optimizers[g]);
    ead_graph_free(graph);
    ead_params_free(&params);
    ead_model_free(&model->base);
}
END_TEST

int main(void) {
    omp_set_num_threads(2);
    Suite *suite = suite_create("gcad in double");
    TCase *tests = tcase_create("gcad");
    tcase_set_timeout(tests, 0);
    tcase_add_unchecked_fixture(tests, open_golden, close_golden);
    tcase_add_test(tests, networks_say_what_those_of_pytorch_say);
    tcase_add_test(tests, steps_are_those_of_pytorch);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
