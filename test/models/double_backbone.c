/* Backbones in double: PyTorch's features as far as the golden file stores them, in float. So what the float build
 * is off by is its rounding alone. */
#include "test/models/networks_golden.h"

START_TEST(networks_agree_with_pytorch) {
    check_network(_i, 1e-7, 0);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("backbone in double");
    TCase *tests = tcase_create("backbone");
    tcase_set_timeout(tests, 0);
    tcase_add_loop_test(tests, networks_agree_with_pytorch, 0, NETWORKS);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
