/* FastFlow's flows in double: FrEIA's numbers to nine digits, the way back, and the log-determinant against that of a
 * numerical Jacobian. */
#include "test/methods/flow_inverse.h"

#include <omp.h>

START_TEST(steps_are_those_of_freia) {
    EadSafetensors *file;
    EadBackbone backbone;
    ck_assert_int_eq(ead_backbone_new("resnet18", &backbone), EAD_OK);
    EadFastflow *model = flow_model(&backbone);
    ck_assert_int_eq(ead_safetensors_open("test/golden/methods/fastflow.safetensors", &file), EAD_OK);
    check_flows(file, model, (Bounds){1e-10, 1e-11, 1e-9, 1e-9});
    ead_safetensors_close(file);
    ead_model_free(&model->base);
}
END_TEST

static EadFastflow *tiny_model(void) {
    EadFastflowSpec spec = {12, 12, {1, {0}}, 4, EAD_FASTFLOW_MIXED, 1, EAD_FILE_F32};
    EadBackbone backbone;
    EadFastflow *model;
    ck_assert_int_eq(ead_backbone_new("resnet18", &backbone), EAD_OK);
    ck_assert_int_eq(ead_fastflow_new(&spec, &backbone, &model), EAD_OK);
    ck_assert(model->shapes[0].h == 3 && model->shapes[0].w == 3 && model->shapes[0].c == 64);
    ead_fastflow_initialize(model, FLOW_SEED);
    move_parameters(&model->params);
    return model;
}

START_TEST(the_flow_is_invertible) {
    EadFastflow *model = tiny_model();
    check_inverse(model, 1e-11);
    ead_model_free(&model->base);
}
END_TEST

/* The norm's bias is added to what the couplings get: z changes with it as with that. */
START_TEST(the_logdet_is_that_of_a_numerical_jacobian) {
    enum { SIZE = 3 * 3 * 64 };
    const double h = 1e-5;
    EadFastflow *model = tiny_model();
    EadGraph *graph = ead_graph_new();
    EadNode *features = ead_leaf(graph, "features", EAD_REAL, 1, 3, 3, 64, NULL), *logdet;
    EadNode *z = ead_keep(ead_fastflow_flow(graph, model, 0, features, false, &logdet));
    EadPlan *plan;
    double *jacobian = calloc((size_t)SIZE * SIZE, sizeof *jacobian);
    real *bias = model->params.values + flow_param(model, "layer1", -1, "bias")->offset;
    ead_keep(logdet);
    ck_assert_int_eq(ead_plan_new(graph, NULL, &plan), EAD_OK);
    draw_features(features, "layer1");
    for (int i = 0; i < 2 * SIZE; i++) {
        const real kept = bias[i / 2];
        const double side = i % 2 ? -1 : 1;
        bias[i / 2] = kept + side * h;
        ead_plan_run(plan);
        bias[i / 2] = kept;
        for (int k = 0; k < SIZE; k++)
            jacobian[k * SIZE + i / 2] += side * ((const real *)z->y.data)[k] / (2 * h);
    }
    ead_plan_run(plan);
    double got = *(const real *)logdet->y.data, expected = log_determinant(jacobian, SIZE);
    ck_assert_double_gt(fabs(expected), 1);
    ck_assert_double_eq_tol(got, expected, 1e-7 * fabs(expected));
    free(jacobian);
    ead_plan_free(plan);
    ead_graph_free(graph);
    ead_model_free(&model->base);
}
END_TEST

int main(void) {
    omp_set_num_threads(1); /* small tensors: a second thread would only wait */
    Suite *suite = suite_create("fastflow in double");
    TCase *tests = tcase_create("fastflow");
    tcase_set_timeout(tests, 0);
    tcase_add_test(tests, steps_are_those_of_freia);
    tcase_add_test(tests, the_flow_is_invertible);
    tcase_add_test(tests, the_logdet_is_that_of_a_numerical_jacobian);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
