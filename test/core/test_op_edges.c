/* What a table of cases cannot hold: quantiles of awkward numbers, the statistics of dropout, the order of equals. */
#include "core/ops/dropout/dropout.h"
#include "core/ops/masked_mean/masked_mean.h"
#include "core/ops/nearest_rows/nearest_rows.h"
#include "core/ops/reweighted_score/reweighted_score.h"
#include "core/ops/normalize_image/normalize_image.h"
#include "core/ops/quantile/quantile.h"
#include "core/ops/ring_write/ring_write.h"
#include "core/base/philox.h"
#include "core/plan/plan.h"
#include "test/support/suite.h"

#include <math.h>
#include <omp.h>
#include <string.h>

static EadPlan *must_plan(EadGraph *graph) {
    EadPlan *plan = NULL;
    ck_assert_msg(ead_plan_new(graph, NULL, &plan) == EAD_OK, "%s", ead_error_message());
    return plan;
}

/* ---- quantile ---- */

static int ascending(const void *a, const void *b) {
    real x = *(const real *)a, y = *(const real *)b;
    return (x > y) - (x < y);
}

static real quantile_of(real *values, int count, double q) {
    EadGraph *graph = ead_graph_new();
    EadNode *x = ead_leaf(graph, "values", EAD_REAL, 1, 1, 1, count, values);
    EadNode *y = ead_keep(ead_quantile(graph, x, q));
    EadPlan *plan = must_plan(graph);
    ead_plan_run(plan);
    real result = *(const real *)y->y.data;
    ead_plan_free(plan);
    ead_graph_free(graph);
    return result;
}

/* The obvious way: sort, look up. *size: the larger of the two neighbours, which float's rounding is relative
 * to. */
static double sorted_quantile(real *values, int count, double q, double *size) {
    qsort(values, (size_t)count, sizeof *values, ascending);
    double position = q * (count - 1);
    int low = (int)position, high = low + 1 < count ? low + 1 : low;
    double a = (double)values[low], b = (double)values[high];
    *size = fmax(fabs(a), fabs(b));
    return a + (position - low) * (b - a);
}

/* Bits at random: every exponent and sign, subnormal numbers included, infinities and NaNs not. */
static real random_bits(uint64_t seed, int i) {
    uint32_t word = ead_philox_word(seed, EAD_STREAM_TEST, (uint64_t)i);
    float value;
    memcpy(&value, &word, sizeof value);
    return isfinite(value) ? (real)value : 0;
}

START_TEST(quantile_equals_sorting) {
    static real values[70000], copy[70000];
    const int counts[] = {1, 2, 3, 10, 1000, 16384, 16385, 70000};
    const double quantiles[] = {0, 0.1, 0.5, 0.9, 0.995, 0.999, 1};
    int count = counts[_i / 7];
    double q = quantiles[_i % 7];
    for (int wild = 0; wild < 2; wild++) {
        for (int i = 0; i < count; i++) {
            uint32_t word = ead_philox_word(5, EAD_STREAM_TEST, (uint64_t)i);
            values[i] = copy[i] = wild ? random_bits(3, i) : (real)(word % 1000) / 8 - 30;
        }
        double size, got = (double)quantile_of(values, count, q),
                     expected = sorted_quantile(copy, count, q, &size);
        ck_assert_msg(fabs(got - expected) <= 2e-7 * size, "%d numbers, q %g: %.9g not %.9g", count, q, got,
                      expected);
    }
}
END_TEST

START_TEST(quantile_of_awkward_numbers) {
    real zeros[4] = {(real)-0.0, 0, (real)-0.0, 0}, infinite[3] = {1, INFINITY, -INFINITY};
    real nans[3] = {1, (real)NAN, 2}, negative_nan[2] = {(real)copysign((double)NAN, -1.0), 5};
    ck_assert(quantile_of(zeros, 4, 0.5) == 0);
    ck_assert(quantile_of(infinite, 3, 1) == INFINITY && quantile_of(infinite, 3, 0) == -INFINITY);
    ck_assert(quantile_of(infinite, 3, 0.5) == 1);
    ck_assert(isnan(quantile_of(nans, 3, 0)) && isnan(quantile_of(negative_nan, 2, 1)));
}
END_TEST

START_TEST(nothing_above_the_threshold_is_nan) {
    real values[3] = {1, 2, 3}, limit = 4;
    EadGraph *graph = ead_graph_new();
    EadNode *x = ead_leaf(graph, "x", EAD_REAL, 1, 1, 1, 3, values);
    EadNode *y = ead_keep(ead_masked_mean(graph, x, ead_leaf(graph, "limit", EAD_REAL, 1, 1, 1, 1, &limit)));
    EadPlan *plan = must_plan(graph);
    ead_plan_run(plan);
    ck_assert(isnan(*(const real *)y->y.data));
    limit = 2;
    ead_plan_run(plan);
    ck_assert(*(const real *)y->y.data == (real)2.5);
    ead_plan_free(plan);
    ead_graph_free(graph);
}
END_TEST

/* ---- dropout ---- */

enum { DROPPED = 20000 };

static void drop(int64_t step, uint64_t seed, int layer, double probability, real out[DROPPED]) {
    static real ones[DROPPED];
    for (int i = 0; i < DROPPED; i++) ones[i] = 1;
    EadGraph *graph = ead_graph_new();
    EadNode *x = ead_leaf(graph, "ones", EAD_REAL, 1, 1, 1, DROPPED, ones);
    EadNode *counter = ead_leaf(graph, "step", EAD_I64, 1, 1, 1, 1, &step);
    ead_write_to(ead_dropout(graph, x, counter, probability, seed, layer), out);
    EadPlan *plan = must_plan(graph);
    ead_plan_run(plan);
    ead_plan_free(plan);
    ead_graph_free(graph);
}

/* How many elements two masks have in common. */
static int agreement(const real *a, const real *b) {
    int same = 0;
    for (int i = 0; i < DROPPED; i++) same += (a[i] == 0) == (b[i] == 0);
    return same;
}

START_TEST(dropout_is_fresh_and_fair) {
    static real first[DROPPED], again[DROPPED], other[DROPPED];
    drop(7, 3, 0, 0.2, first);
    drop(7, 3, 0, 0.2, again);
    int kept = 0;
    for (int i = 0; i < DROPPED; i++) {
        kept += first[i] != 0;
        ck_assert(first[i] == 0 || first[i] == (real)1.25);
    }
    ck_assert_int_lt(abs(kept - DROPPED * 8 / 10), 300); /* five standard deviations */
    ck_assert_int_eq(agreement(first, again), DROPPED);
    const struct { int step, seed, layer; } others[] = {{8, 3, 0}, {7, 4, 0}, {7, 3, 1}};
    for (int i = 0; i < 3; i++) { /* independent masks agree on 0.8² + 0.2² = 68 % */
        drop(others[i].step, (uint64_t)others[i].seed, others[i].layer, 0.2, other);
        ck_assert_int_lt(abs(agreement(first, other) - DROPPED * 68 / 100), 400);
    }
}
END_TEST

START_TEST(dropout_uses_the_documented_words) {
    static real out[DROPPED];
    int64_t step = 123456;
    drop(step, 99, 4, 0.35, out);
    for (int i = 0; i < DROPPED; i++) {
        uint64_t index = ((uint64_t)step << EAD_STEP_WORDS_LOG2) + (uint64_t)i;
        float u = ead_uniform(ead_philox_word(99, EAD_STREAM_DROPOUT + 4, index));
        ck_assert((out[i] != 0) == ((double)u >= 0.35));
    }
}
END_TEST

START_TEST(image_table_is_torchvisions) {
    uint8_t bytes[6] = {0, 128, 255, 255, 0, 7};
    EadGraph *graph = ead_graph_new();
    EadNode *y = ead_keep(ead_normalize_image(graph, ead_leaf(graph, "image", EAD_U8, 1, 1, 2, 3, bytes)));
    EadPlan *plan = must_plan(graph);
    ead_plan_run(plan);
    /* Normalize(mean, std)(ToTensor()(image)) of torchvision */
    const float expected[6] = {-0x1.0f177ap+1f, 0x1.a43690p-3f,  0x1.51eb86p+1f,
                               0x1.1fdc3ap+1f,  -0x1.049248p+1f, -0x1.aeb464p+0f};
    for (int i = 0; i < 6; i++) ck_assert(((const real *)y->y.data)[i] == (real)expected[i]);
    ead_plan_free(plan);
    ead_graph_free(graph);
}
END_TEST

START_TEST(record_keeps_the_last_rows) {
    enum { ROWS = 3, COLUMNS = EAD_RECORD_VALUES + 2 }; /* of two nodes */
    EadGraph *graph = ead_graph_new();
    int64_t step = 0;
    real value = 0;
    EadNode *values[COLUMNS] = {NULL}, *counter = ead_leaf(graph, "step", EAD_I64, 1, 1, 1, 1, &step);
    EadNode *ring = ead_keep(ead_leaf(graph, "ring", EAD_REAL, 1, 1, ROWS, COLUMNS, NULL));
    values[0] = values[COLUMNS - 1] = ead_leaf(graph, "value", EAD_REAL, 1, 1, 1, 1, &value);
    ead_ring_write(graph, ring, counter, values);
    EadPlan *plan = must_plan(graph);
    for (; step < 5; step++) {
        value = (real)step + 1;
        ead_plan_run(plan);
    }
    static const int expected[ROWS] = {4, 5, 3};
    real rows[ROWS][COLUMNS];
    ck_assert_int_eq(ead_plan_read(plan, ring, rows), EAD_OK);
    for (int r = 0; r < ROWS; r++) {
        ck_assert(rows[r][0] == (real)expected[r] && rows[r][COLUMNS - 1] == (real)expected[r]);
        for (int c = 1; c < COLUMNS - 1; c++) ck_assert(rows[r][c] == 0); /* no value, nothing written */
    }
    ead_plan_free(plan);
    ead_graph_free(graph);
}
END_TEST

/* Equal rows come in the order of the bank, a query that is not finite has no neighbour, and of rows far from
 * the origin and close to each other the nearest is found. */
START_TEST(nearest_rows_of_awkward_numbers) {
    enum { QUERIES = 3, ROWS = 500, COUNT = 3 };
    static real bank[ROWS][2];
    real queries[QUERIES][2] = {{1, 2}, {NAN, 0}, {(real)30.25, 40}};
    for (int r = 0; r < ROWS; r++) {
        bank[r][0] = (real)(r % 100 == 57 ? 1 : 30 + r * 0.125);
        bank[r][1] = (real)(r % 100 == 57 ? 2 : 40);
    }
    EadGraph *graph = ead_graph_new();
    EadNode *q = ead_leaf(graph, "queries", EAD_REAL, 1, 1, QUERIES, 2, queries);
    EadNode *m = ead_leaf(graph, "bank", EAD_REAL, ROWS, 1, 1, 2, bank);
    EadNode *y = ead_keep(ead_nearest_rows(graph, q, m, (EadNearestRows){COUNT, true}));
    EadPlan *plan = must_plan(graph);
    ead_plan_run(plan);
    const real *found = y->y.data;
    static const real expected[QUERIES][2 * COUNT] = {{0, 0, 0, 57, 157, 257},
                                                      {INFINITY, INFINITY, INFINITY, ROWS, ROWS, ROWS},
                                                      {0, 0.015625, 0.015625, 2, 1, 3}};
    for (int i = 0; i < QUERIES * 2 * COUNT; i++)
        ck_assert_msg(found[i] == (&expected[0][0])[i], "number %d is %g", i, (double)found[i]);
    ead_plan_free(plan);
    ead_graph_free(graph);
}
END_TEST

/* Rows that are there twice, and a query that is not finite. By hand: the query (3,0) is 3 from the row (0,0), which
 * is there twice, and 1 + 3 from (-1,0), its next: 3 (1 - 1/(1 + 1 + e)). */
START_TEST(reweighted_score_of_awkward_numbers) {
    real bank[4][2] = {{9, 9}, {0, 0}, {0, 0}, {-1, 0}};
    real queries[2][2][2] = {{{3, 0}, {9, 8}}, {{NAN, 0}, {3, 0}}};
    EadGraph *graph = ead_graph_new();
    EadNode *q = ead_leaf(graph, "queries", EAD_REAL, 2, 1, 2, 2, queries);
    EadNode *m = ead_leaf(graph, "bank", EAD_REAL, 4, 1, 1, 2, bank);
    EadNode *found = ead_nearest_rows(graph, q, m, (EadNearestRows){1, true});
    EadNode *y = ead_keep(ead_reweighted_score(graph, q, found, m, 3));
    EadPlan *plan = must_plan(graph);
    ead_plan_run(plan);
    const real *score = y->y.data;
    ck_assert_msg(fabs((double)score[0] - 3 * (1 - 1 / (2 + exp(1)))) < 1e-6, "%g", (double)score[0]);
    ck_assert(isinf(score[1]));
    ead_plan_free(plan);
    ead_graph_free(graph);
}
END_TEST

int main(void) {
    omp_set_num_threads(1); /* small tensors: a second thread would only wait */
    Suite *suite = suite_create("op_edges");
    TCase *tests = tcase_create("edges");
    tcase_set_timeout(tests, 0);
    tcase_add_loop_test(tests, quantile_equals_sorting, 0, 8 * 7);
    tcase_add_test(tests, quantile_of_awkward_numbers);
    tcase_add_test(tests, nothing_above_the_threshold_is_nan);
    tcase_add_test(tests, dropout_is_fresh_and_fair);
    tcase_add_test(tests, dropout_uses_the_documented_words);
    tcase_add_test(tests, image_table_is_torchvisions);
    tcase_add_test(tests, record_keeps_the_last_rows);
    tcase_add_test(tests, nearest_rows_of_awkward_numbers);
    tcase_add_test(tests, reweighted_score_of_awkward_numbers);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
