/* tanh and exp of every instruction level against the C library in double, over all sizes of numbers. */
#include "core/simd/simd.h"
#include "test/support/suite.h"

#include <math.h>
#include <stdlib.h>

enum { COUNT = 200003 }; /* no multiple of any vector */

static float x[COUNT], y[COUNT];

static const char *const levels[] = {"v2", "v3", "v4"};

static const EadSimd *level_of(int index) {
    setenv("EFFICIENTAD_CPU", levels[index], 1);
    const EadSimd *simd = ead_simd();
    unsetenv("EFFICIENTAD_CPU");
    return simd;
}

/* Both signs, from 1e-30 to `most`. */
static void fill(double most) {
    for (int i = 0; i < COUNT; i++)
        x[i] = (float)((i % 2 ? -1 : 1) * 1e-30 * pow(most / 1e-30, (double)i / (COUNT - 1)));
}

static double worst_of(double (*function)(double), double factor) {
    double worst = 0;
    for (int i = 0; i < COUNT; i++) {
        double expected = function((double)(float)factor * (double)x[i]), off = fabs((double)y[i] - expected);
        if (!(off <= worst * fabs(expected))) worst = off / fabs(expected);
    }
    return worst;
}

START_TEST(tanh_is_that_of_the_library) {
    const EadSimd *simd = level_of(_i);
    fill(1e30);
    simd->tanh_row(x, 1, COUNT, y);
    ck_assert_double_le(worst_of(tanh, 1), 2e-7);
}
END_TEST

START_TEST(exp_is_that_of_the_library) {
    const EadSimd *simd = level_of(_i);
    fill(79);
    simd->exp_row(x, 1, COUNT, y);
    ck_assert_double_le(worst_of(exp, 1), 2e-7);
}
END_TEST

/* In place, with a factor, beyond the bounds, and what is not a number. */
START_TEST(special_numbers_stay_what_they_are) {
    const EadSimd *simd = level_of(_i);
    float values[] = {0, -0.0f, 1000, -1000, INFINITY, -INFINITY, NAN, 3}, exps[8];
    simd->exp_row(values, 1, 8, exps);
    ck_assert(exps[0] == 1 && exps[1] == 1 && isfinite(exps[2]) && exps[2] > 1e34f && exps[3] < 1e-34f);
    ck_assert(isfinite(exps[4]) && exps[5] >= 0 && isnan(exps[6]));
    simd->tanh_row(values, 0.5f, 8, values);
    ck_assert(values[0] == 0 && values[2] == 1 && values[3] == -1 && values[4] == 1 && values[5] == -1);
    ck_assert(signbit(values[1]) && isnan(values[6]));
    ck_assert_float_eq_tol(values[7], tanhf(1.5f), 2e-7f);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("elementary");
    TCase *tests = tcase_create("elementary");
    int count = (int)(sizeof levels / sizeof *levels);
    tcase_set_timeout(tests, 0);
    tcase_add_loop_test(tests, tanh_is_that_of_the_library, 0, count);
    tcase_add_loop_test(tests, exp_is_that_of_the_library, 0, count);
    tcase_add_loop_test(tests, special_numbers_stay_what_they_are, 0, count);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
