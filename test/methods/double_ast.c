/* AST in double: PyTorch's numbers to nine digits, and the log-determinant against that of a numerical Jacobian. */
#include "test/methods/ast_golden.h"

#include <omp.h>

static EadAst *new_model(int side) {
    EadBackbone backbone;
    ck_assert_int_eq(ead_backbone_new("resnet18", &backbone), EAD_OK);
    return ast_model(&backbone, side, side);
}

START_TEST(steps_are_those_of_pytorch) {
    const Bounds bounds = {1e-10, 1e-11, 1e-9, 1e-9};
    EadSafetensors *file;
    EadAst *model = new_model(AST_SIDE);
    ck_assert_int_eq(ead_safetensors_open("test/golden/methods/ast.safetensors", &file), EAD_OK);
    check_ast_teacher(file, model, bounds);
    check_ast_student(file, model, bounds);
    ead_safetensors_close(file);
    ead_model_free(&model->base);
}
END_TEST

START_TEST(the_logdet_is_that_of_a_numerical_jacobian) {
    enum { SIZE = 2 * 2 * AST_CHANNELS };
    const double h = 1e-5;
    EadAst *model = new_model(8);
    EadGraph *graph = ead_graph_new();
    EadNode *features = ead_leaf(graph, "features", EAD_REAL, 1, 2, 2, AST_CHANNELS, NULL), *logdet;
    EadNode *z = ead_keep(ead_ast_teacher(graph, model, features, false, &logdet));
    EadPlan *plan;
    double *jacobian = calloc((size_t)SIZE * SIZE, sizeof *jacobian);
    ead_keep(logdet);
    ck_assert_int_eq(ead_plan_new(graph, NULL, &plan), EAD_OK);
    real *x = features->y.data;
    for (int i = 0; i < SIZE; i++) x[i] = drawn("features", i);
    for (int i = 0; i < 2 * SIZE; i++) {
        const real kept = x[i / 2];
        const double side = i % 2 ? -1 : 1;
        x[i / 2] = kept + side * h;
        ead_plan_run(plan);
        x[i / 2] = kept;
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
    Suite *suite = suite_create("ast in double");
    TCase *tests = tcase_create("ast");
    tcase_set_timeout(tests, 0);
    tcase_add_test(tests, steps_are_those_of_pytorch);
    tcase_add_test(tests, the_logdet_is_that_of_a_numerical_jacobian);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
