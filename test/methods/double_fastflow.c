/* FastFlow's flows in double: FrEIA's numbers to nine digits. */
#include "test/methods/fastflow_golden.h"

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

int main(void) {
    omp_set_num_threads(1); /* small tensors: a second thread would only wait */
    Suite *suite = suite_create("fastflow in double");
    TCase *tests = tcase_create("fastflow");
    tcase_set_timeout(tests, 0);
    tcase_add_test(tests, steps_are_those_of_freia);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
