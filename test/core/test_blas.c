/* The matrix product against a loop, and the check of OpenBLAS's choice of kernels. */
#include "test/support/suite.h"

#include "core/base/blas.h"
#include "core/base/philox.h"

#include <math.h>
#include <string.h>

enum { LARGEST = 140 * 300 };

static void fill(real *values, uint64_t stream) {
    for (uint64_t i = 0; i < LARGEST; i++)
        values[i] = (real)2 * (real)ead_uniform(ead_philox_word(1, stream, i)) - 1;
}

static real at(const real *matrix, int64_t stride, bool transposed, int64_t row, int64_t column) {
    return transposed ? matrix[column * stride + row] : matrix[row * stride + column];
}

/* Row strides exceed the rows by 3, and what lies between must stay as it was. */
static void check_product(int64_t m, int64_t n, int64_t k, bool transpose_a, bool transpose_b, real beta) {
    static real a[LARGEST], b[LARGEST], c[LARGEST], before[LARGEST];
    fill(a, 1);
    fill(b, 2);
    fill(c, 3);
    memcpy(before, c, sizeof c);
    EadGemm product = {.transpose_a = transpose_a,
                       .transpose_b = transpose_b,
                       .m = m,
                       .n = n,
                       .k = k,
                       .a = a,
                       .lda = (transpose_a ? m : k) + 3,
                       .b = b,
                       .ldb = (transpose_b ? k : n) + 3,
                       .beta = beta,
                       .c = c,
                       .ldc = n + 3};
    ead_gemm(&product);
    for (int64_t row = 0; row < m; row++) {
        for (int64_t column = 0; column < product.ldc; column++) {
            double old = before[row * product.ldc + column], sum = (double)beta * old, size = fabs(sum);
            for (int64_t i = 0; i < k; i++) {
                double term = (double)at(a, product.lda, transpose_a, row, i) *
                              (double)at(b, product.ldb, transpose_b, i, column < n ? column : 0);
                sum += term;
                size += fabs(term);
            }
            double got = c[row * product.ldc + column];
            if (column < n)
                ck_assert_double_eq_tol(got, sum, 2e-6 * (size + 1e-3));
            else
                ck_assert_double_eq(got, old);
        }
    }
}

START_TEST(gemm_agrees_with_a_loop) {
    static const int64_t sizes[][3] = {{1, 1, 1},   {3, 5, 7},    {17, 33, 65},  {64, 1, 31},
                                       {1, 64, 48}, {130, 70, 9}, {31, 129, 257}};
    int transposes = _i;
    ead_blas_prepare();
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (int beta = 0; beta <= 1; beta++)
            check_product(sizes[i][0], sizes[i][1], sizes[i][2], transposes & 1, transposes & 2, (real)beta);
}
END_TEST

START_TEST(beta_0_overwrites_what_is_no_number) {
    real a[2] = {1, 2}, b[2] = {3, 4}, c[1] = {(real)NAN};
    ead_gemm(&(EadGemm){.m = 1, .n = 1, .k = 2, .a = a, .lda = 2, .b = b, .ldb = 1, .c = c, .ldc = 1});
    ck_assert(c[0] == 11);
}
END_TEST

#if defined(__x86_64__)
static bool cpu_has(const char *core) {
    __builtin_cpu_init();
    if (strcmp(core, "SKYLAKEX") == 0) return __builtin_cpu_supports("avx512bw") != 0;
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}
#endif

START_TEST(advice_is_something_the_cpu_can_do) {
    const char *better = ead_blas_better_core();
    ck_assert_ptr_nonnull(ead_blas_core());
    SKIP_UNLESS(better, "OpenBLAS already runs the best kernels for this CPU");
#if defined(__x86_64__)
    ck_assert(strcmp(better, "SKYLAKEX") == 0 || strcmp(better, "HASWELL") == 0);
    ck_assert(cpu_has(better));
#else
    ck_abort_msg("advice for a CPU that we know nothing of");
#endif
}
END_TEST

/* Runs the bench shortly and keeps what it says. */
static void run_bench(const char *environment, char *output, size_t size) {
    char command[512];
    snprintf(command, sizeof command, "env %s %s bench infer --image-size 128 --repeat 1 2>&1", environment,
             getenv("PROGRAM"));
    FILE *pipe = popen(command, "r");
    ck_assert_ptr_nonnull(pipe);
    size_t length = fread(output, 1, size - 1, pipe);
    output[length] = '\0';
    ck_assert_msg(pclose(pipe) == 0, "%s: %s", command, output);
}

START_TEST(program_runs_the_kernels_for_this_cpu) {
    SKIP_UNLESS(getenv("PROGRAM"), "PROGRAM does not name the program");
#if defined(__x86_64__)
    SKIP_UNLESS(cpu_has("HASWELL"), "this CPU has no AVX2");
    char output[4096];
    run_bench("-u OPENBLAS_CORETYPE", output, sizeof output);
    ck_assert_msg(strstr(output, "OpenBLAS core type ") && !strstr(output, "warning: OpenBLAS"), "%s",
                  output);
    ck_assert_msg(!strstr(output, "Prescott"), "%s", output);
#endif
}
END_TEST

START_TEST(choice_of_the_user_is_respected_with_a_warning) {
    SKIP_UNLESS(getenv("PROGRAM"), "PROGRAM does not name the program");
#if defined(__x86_64__)
    SKIP_UNLESS(cpu_has("HASWELL"), "this CPU has no AVX2");
    char output[4096];
    run_bench("OPENBLAS_CORETYPE=Prescott", output, sizeof output);
    ck_assert_msg(strstr(output, "OpenBLAS core type Prescott") != NULL, "%s", output);
    ck_assert_msg(strstr(output, "warning: OpenBLAS runs its kernels for Prescott") != NULL, "%s", output);
#endif
}
END_TEST

int main(void) {
    Suite *suite = suite_create("blas");
    TCase *tests = tcase_create("blas");
    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, gemm_agrees_with_a_loop, 0, 4);
    tcase_add_test(tests, beta_0_overwrites_what_is_no_number);
    tcase_add_test(tests, advice_is_something_the_cpu_can_do);
    tcase_add_test(tests, program_runs_the_kernels_for_this_cpu);
    tcase_add_test(tests, choice_of_the_user_is_respected_with_a_warning);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
