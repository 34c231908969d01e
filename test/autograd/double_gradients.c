/* Every op's gradient against central differences, in double. */
#include "autograd/gradient_check.h"
#include "test/support/suite.h"
#include "test/support/op_cases.h"

#include <omp.h>

enum { SAMPLES = 300 }; /* elements tested of each input */

START_TEST(gradients_match_differences) {
    const OpCase *op_case = op_case_at(_i);
    OpCaseGraph built;
    ck_assert_msg(op_case_build(op_case, &built) == EAD_OK, "%s: %s", op_case->name, ead_error_message());
    EadNode *inputs[OP_CASE_INPUTS];
    int count = op_case_trainable(&built, inputs);
    if (built.loss && op_case_is_smooth(op_case)) {
        double error = -1;
        EadStatus status = ead_gradient_check(built.graph, built.loss, count, inputs, SAMPLES, 1, &error);
        ck_assert_msg(status == EAD_OK, "%s: %s", op_case->name, ead_error_message());
        ck_assert_msg(error <= 1e-6, "%s: gradient off by %g", op_case->name, error);
    }
    op_case_free(&built);
}
END_TEST

int main(void) {
    omp_set_num_threads(1); /* thousands of tiny runs */
    Suite *suite = suite_create("gradients");
    TCase *tests = tcase_create("ops");
    tcase_set_timeout(tests, 0);
    tcase_add_loop_test(tests, gradients_match_differences, 0, op_case_count());
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
