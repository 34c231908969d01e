/* Winograd in double, where nothing but mistakes remains: the matrices against the identity that
 * defines them, in exact fractions; the algorithms against im2col and
 * OpenBLAS. */
#include "core/simd/level/winograd_matrices.h"
#include "test/support/conv_runs.h"

#include <math.h>

/* ---- the matrices ---- */

typedef struct Ratio {
    int64_t n, d; /* d > 0, no common factor */
} Ratio;

static Ratio reduce(int64_t n, int64_t d) {
    int64_t a = llabs(n), b = d;
    while (b) {
        int64_t rest = a % b;
        a = b;
        b = rest;
    }
    return (Ratio){n / a, d / a};
}

static Ratio add(Ratio a, Ratio b) {
    return reduce(a.n * b.d + b.n * a.d, a.d * b.d);
}

static Ratio times(Ratio a, Ratio b) {
    return reduce(a.n * b.n, a.d * b.d);
}

/* The fraction that an entry is, to its last bit. */
static Ratio fraction_of(double entry) {
    enum { MAX_DENOMINATOR = 4096 };
    for (int64_t d = 1; d <= MAX_DENOMINATOR; d++) {
        int64_t n = llround(entry * (double)d);
        if ((double)n / (double)d == entry) return reduce(n, d);
    }
    ck_abort_msg("%.17g is no fraction with a small denominator", entry);
}

/* y = A^T [(G w) * (B^T x)] is the correlation y[i] = sum over j of w[j] x[i+j] for every w and x exactly if
 * sum over k of AT[i][k] G[k][j] BT[k][l] is 1 where l = i + j and else 0. */
enum { TILE = 8 };

static void check_identity(int kernel, const real *at, const real *g, const real *bt) {
    for (int i = 0; i < TILE - kernel + 1; i++)
        for (int j = 0; j < kernel; j++)
            for (int l = 0; l < TILE; l++) {
                Ratio sum = {0, 1};
                for (int k = 0; k < TILE; k++)
                    sum =
                        add(sum, times(fraction_of(at[i * TILE + k]),
                                       times(fraction_of(g[k * kernel + j]), fraction_of(bt[k * TILE + l]))));
                ck_assert_msg(sum.n == (l == i + j) && sum.d == 1, "kernel %d: (%d,%d,%d) is %d/%d", kernel,
                              i, j, l, (int)sum.n, (int)sum.d);
            }
}

#define CHECK(kernel) check_identity(kernel, winograd_at_##kernel[0], winograd_g_##kernel[0], winograd_bt[0])

START_TEST(matrices_are_exact) {
    CHECK(3);
    CHECK(4);
}
END_TEST

/* ---- the algorithm ---- */

static const ConvCase cases[] = {
    {"one tile", 1, 5, 5, 16, 16, 4, 1, 0},       {"padded", 2, 13, 9, 32, 48, 4, 1, 3},
    {"three images", 3, 17, 22, 48, 16, 3, 1, 1}, {"pad 2", 1, 11, 30, 64, 80, 4, 1, 2},
    {"3x3 pad 2", 2, 6, 19, 16, 96, 3, 1, 2},     {"many channels", 1, 20, 21, 256, 128, 3, 1, 0},
};

/* The largest difference, relative to the largest value. */
static double difference(const real *a, const real *b, int64_t count) {
    double most = 0, largest = 0;
    for (int64_t i = 0; i < count; i++) {
        most = fmax(most, fabs((double)(a[i] - b[i])));
        largest = fmax(largest, fabs((double)b[i]));
        ck_assert(isfinite(a[i]));
    }
    return most / largest;
}

static void check_against(ConvRun *run, real *const expected[], const char *algorithm, const char *level) {
    static const char *const names[CONV_RESULTS] = {"forward", "input gradient", "weight gradient"};
    conv_plan(run, algorithm, level, true);
    ead_plan_run(run->plan);
    for (int r = 0; r < CONV_RESULTS; r++) {
        const EadTensor *y = &run->results[r]->y;
        double error = difference(y->data, expected[r], ead_count(y));
        ck_assert_msg(error <= 1e-10, "%s, %s %s %s: off by %g", run->c.name, algorithm, level, names[r],
                      error);
    }
    conv_unplan(run);
}

START_TEST(winograd_is_gemm) {
    ConvRun run;
    real *expected[CONV_RESULTS];
    conv_open(&run, &cases[_i]);
    conv_plan(&run, "direct", conv_levels[0], true);
    for (int k = 0; k < CONV_RESULTS; k++) {
        const EadNode *node;
        const EadCall *call = ead_plan_call(run.plan, k, &node);
        for (int r = 0; r < CONV_RESULTS; r++)
            if (node == run.results[r]) expected[r] = conv_by_gemm(call, node->op);
    }
    conv_unplan(&run);
    for (int l = 0; l < CONV_LEVELS; l++) {
        if (!conv_has_level(conv_levels[l])) continue;
        check_against(&run, expected, "winograd8", conv_levels[l]);
        check_against(&run, expected, "direct", conv_levels[l]);
    }
    for (int r = 0; r < CONV_RESULTS; r++) free(expected[r]);
    conv_close(&run);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("winograd in double");
    TCase *tests = tcase_create("winograd");
    tcase_set_timeout(tests, 0);
    tcase_add_test(tests, matrices_are_exact);
    tcase_add_loop_test(tests, winograd_is_gemm, 0, sizeof cases / sizeof *cases);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
