/* Nearest rows against a plain double loop, on banks that sketches suit and on others. */
#include "core/base/philox.h"
#include "core/ops/nearest_rows/nearest_rows.h"
#include "core/plan/plan.h"
#include "test/support/suite.h"

#include <math.h>
#include <omp.h>
#include <string.h>

enum { QUERIES = 70, MOST_ROWS = 700, MOST_LENGTH = 300, FACTORS = 5 };

typedef struct Scene {
    int rows, length, count;
    double noise, size, offset; /* of each number beside FACTORS common ones; of all; added to all */
    int copies;                 /* a row is there so many times */
} Scene;

static const Scene scenes[] = {
    {MOST_ROWS, MOST_LENGTH, 1, 0.1, 1, 0, 1},
    {MOST_ROWS, MOST_LENGTH, 16, 0.1, 1, 0, 1},
    {MOST_ROWS, MOST_LENGTH, 3, 0.1, 1, 1000, 1},
    {MOST_ROWS, MOST_LENGTH, 9, 0, 1, 0, 1},
    {MOST_ROWS, 131, 2, 1e6, 1e-6, 0, 1},
    {MOST_ROWS, MOST_LENGTH, 7, 0.1, 1, 0, 3},
    {MOST_ROWS, 17, 4, 0.1, 1e-18, 0, 1},
    {MOST_ROWS, 40, 4, 0.1, 1e18, 0, 1},
    {MOST_ROWS, 1, 16, 0.1, 1, 0, 1},
    {1, 20, 1, 0.1, 1, 0, 1},
    {2, MOST_LENGTH, 2, 0.1, 1, 7, 1},
    {3, 1, 2, 0.1, 1, 0, 1},
    {MOST_ROWS, 64, 3, 0, 1, 0, MOST_ROWS},
};

static real bank[MOST_ROWS * MOST_LENGTH], queries[QUERIES * MOST_LENGTH];

static double draw(int stream, int index) {
    uint32_t word = ead_philox_word((uint64_t)stream, EAD_STREAM_TEST, (uint64_t)index);
    return 2 * (double)ead_uniform(word) - 1;
}

static void fill(const Scene *s, int stream, int rows, int copies, real *out) {
    for (int r = 0; r < rows; r++)
        for (int i = 0; i < s->length; i++) {
            int row = r / copies;
            double sum = s->noise * draw(stream, row * s->length + i);
            for (int f = 0; f < FACTORS; f++)
                sum += draw(stream + 1, row * FACTORS + f) * draw(99, f * s->length + i);
            out[r * s->length + i] = (real)(s->size * (sum + s->offset));
        }
}

/* The `count` nearest rows by distance, rounded as the result is, then number: row by row. */
static void find_plainly(const Scene *s, const real *query, real *found) {
    bool taken[MOST_ROWS] = {false};
    double distance[MOST_ROWS];
    for (int r = 0; r < s->rows; r++) {
        distance[r] = 0;
        for (int i = 0; i < s->length; i++) {
            double d = (double)query[i] - (double)bank[r * s->length + i];
            distance[r] += d * d;
        }
    }
    for (int n = 0; n < s->count; n++) {
        int best = s->rows;
        for (int r = 0; r < s->rows; r++) {
            bool finite = isfinite((real)distance[r]) && !taken[r];
            if (finite && (best == s->rows || (real)distance[r] < (real)distance[best])) best = r;
        }
        found[n] = best < s->rows ? (real)distance[best] : (real)INFINITY;
        found[s->count + n] = (real)best;
        if (best < s->rows) taken[best] = true;
    }
}

/* Rows are the same ones, but where two distances agree to the rounding of a sum in double. */
static void check(const Scene *s, const real *found) {
    for (int q = 0; q < QUERIES; q++) {
        const real *got = found + (ptrdiff_t)q * 2 * s->count;
        real expected[2 * EAD_NEAREST_MAX];
        find_plainly(s, queries + q * s->length, expected);
        for (int n = 0; n < s->count; n++) {
            double value = (double)expected[n], tolerance = 1.2e-7 * value;
            bool same = got[n] == expected[n] || fabs((double)got[n] - value) <= tolerance;
            bool close = got[n] != expected[n] || (n > 0 && got[n - 1] != expected[n - 1]) ||
                         (n + 1 < s->count && got[n + 1] != expected[n + 1]);
            ck_assert_msg(same, "scene %d rows, %d numbers: query %d, neighbour %d is %g away, not %g",
                          s->rows, s->length, q, n, (double)got[n], value);
            ck_assert_msg(close || got[s->count + n] == expected[s->count + n],
                          "scene %d rows, %d numbers: query %d, neighbour %d is row %g, not %g", s->rows,
                          s->length, q, n, (double)got[s->count + n], (double)expected[s->count + n]);
        }
    }
}

/* Searches with 1 to 3 threads, the bank constant or written into the plan; the same bits from all. */
static void search(const Scene *s) {
    static real found[QUERIES * 2 * EAD_NEAREST_MAX], first[QUERIES * 2 * EAD_NEAREST_MAX];
    for (int turn = 0; turn < 6; turn++) {
        bool constant = turn % 2;
        omp_set_num_threads(1 + turn / 2);
        EadGraph *graph = ead_graph_new();
        EadNode *q = ead_leaf(graph, "queries", EAD_REAL, 2, QUERIES / 14, 7, s->length, queries);
        EadNode *m = ead_leaf(graph, "bank", EAD_REAL, s->rows, 1, 1, s->length, constant ? bank : NULL);
        EadNode *y = ead_keep(ead_nearest_rows(graph, q, m, (EadNearestRows){s->count, true}));
        EadPlan *plan = NULL;
        ck_assert_msg(ead_plan_new(graph, NULL, &plan) == EAD_OK, "%s", ead_error_message());
        if (!constant) ead_plan_write(plan, m, bank);
        ead_plan_run(plan);
        ck_assert_int_eq(ead_plan_read(plan, y, found), EAD_OK);
        if (turn == 0) memcpy(first, found, sizeof first), check(s, first);
        size_t bytes = (size_t)(QUERIES * 2 * s->count) * sizeof *found;
        ck_assert_msg(memcmp(first, found, bytes) == 0, "turn %d differs", turn);
        ead_plan_free(plan);
        ead_graph_free(graph);
    }
    omp_set_num_threads(1);
}

START_TEST(all_that_a_plain_loop_finds) {
    const Scene *s = &scenes[_i];
    fill(s, 1, s->rows, s->copies, bank);
    fill(s, 3, QUERIES, 1, queries);
    /* Some queries are rows, or nearly. */
    for (int q = 0; q < QUERIES; q += 10)
        memcpy(queries + q * s->length, bank + (q * 9 % s->rows) * s->length,
               (size_t)s->length * sizeof *bank);
    search(s);
}
END_TEST

/* Rows and queries that are not finite, or too large for products of single precision. */
START_TEST(extreme_numbers) {
    Scene s = {MOST_ROWS, 50, 3, 0.1, 1, 0, 1};
    fill(&s, 1, s.rows, 1, bank);
    fill(&s, 3, QUERIES, 1, queries);
    const real large = (real)2e19, extremes[] = {NAN, INFINITY, -(real)INFINITY, large, -large, (real)1e18};
    for (int i = 0; i < 6; i++) {
        bank[(i * 110 + 3) * s.length + 7 * i] = extremes[i];
        queries[(i * 11 + 2) * s.length + 8 * i] = extremes[i];
    }
    memcpy(queries, bank + (3 * 110 + 3) * s.length,
           (size_t)s.length * sizeof *bank); /* a row whose square is infinite */
    search(&s);
}
END_TEST

/* A bank that changes from run to run, in the same plan: written into it, and in the caller's memory. */
START_TEST(a_bank_that_changes) {
    Scene s = {300, 90, 2, 0.1, 1, 0, 1};
    fill(&s, 3, QUERIES, 1, queries);
    for (int constant = 0; constant < 2; constant++) {
        EadGraph *graph = ead_graph_new();
        EadNode *q = ead_leaf(graph, "queries", EAD_REAL, 1, QUERIES, 1, s.length, queries);
        EadNode *m = ead_leaf(graph, "bank", EAD_REAL, s.rows, 1, 1, s.length, constant ? bank : NULL);
        EadNode *y = ead_keep(ead_nearest_rows(graph, q, m, (EadNearestRows){s.count, true}));
        EadPlan *plan = NULL;
        ck_assert_msg(ead_plan_new(graph, NULL, &plan) == EAD_OK, "%s", ead_error_message());
        for (int turn = 0; turn < 2; turn++) {
            fill(&s, 11 + turn, s.rows, 1, bank);
            if (constant)
                ead_plan_update_weights(plan);
            else
                ead_plan_write(plan, m, bank);
            ead_plan_run(plan);
            check(&s, y->y.data);
        }
        ead_plan_free(plan);
        ead_graph_free(graph);
    }
}
END_TEST

int main(void) {
    omp_set_num_threads(1);
    Suite *suite = suite_create("nearest_rows");
    TCase *tests = tcase_create("search");
    tcase_set_timeout(tests, 0);
    tcase_add_loop_test(tests, all_that_a_plain_loop_finds, 0, sizeof scenes / sizeof *scenes);
    tcase_add_test(tests, extreme_numbers);
    tcase_add_test(tests, a_bank_that_changes);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
