/* DSR in double: PyTorch's numbers to nine digits. */
#include "test/methods/dsr_golden.h"

#include <omp.h>

static EadSafetensors *golden;

static void open_golden(void) {
    ck_assert_int_eq(ead_safetensors_open("test/golden/methods/dsr.safetensors", &golden), EAD_OK);
}

static void close_golden(void) {
    ead_safetensors_close(golden);
}

START_TEST(trainings_are_those_of_pytorch) {
    check_dsr_training(golden, (DsrTraining)_i, (DsrBounds){1e-9, 1e-9, 1e-7, 1e-7});
}
END_TEST

int main(void) {
    omp_set_num_threads(2);
    Suite *suite = suite_create("dsr in double");
    TCase *tests = tcase_create("dsr");
    tcase_set_timeout(tests, 0);
    tcase_add_unchecked_fixture(tests, open_golden, close_golden);
    tcase_add_loop_test(tests, trainings_are_those_of_pytorch, DSR_CODEBOOK, DSR_REFINING + 1);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
