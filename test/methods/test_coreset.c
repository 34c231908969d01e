/* The coreset's choice against plain greedy choice. */
#include "core/base/philox.h"
#include "test/support/scratch.h"
#include "train/patchcore/coreset.h"

#include <math.h>
#include <omp.h>

enum { ROWS = 700, NUMBERS = 128 /* which are not projected */, MANY = 300 };

/* Clusters of points, some of which are there twice. */
static float *draw_rows(void) {
    float *rows = malloc(sizeof *rows * ROWS * NUMBERS);
    for (int r = 0; r < ROWS; r++)
        for (int i = 0; i < NUMBERS; i++) {
            int row = r % 50 == 49 ? r - 7 : r;
            float centre =
                ead_uniform(ead_philox_word(1, EAD_STREAM_TEST, (uint64_t)(row / 90 * NUMBERS + i)));
            rows[r * NUMBERS + i] =
                2 * centre + ead_uniform(ead_philox_word(2, EAD_STREAM_TEST, (uint64_t)(row * NUMBERS + i)));
        }
    return rows;
}

static double distance(const float *a, const float *b) {
    double sum = 0;
    for (int i = 0; i < NUMBERS; i++) sum += ((double)a[i] - (double)b[i]) * ((double)a[i] - (double)b[i]);
    return sqrt(sum);
}

/* Greedy choice as it is written: the distances are given; each choice must be a row that is the farthest, to
 * rounding, and lowers all of them. The same rows on any number of threads. */
static void check_choice(const EadCoreset *coreset, double *distances) {
    int64_t chosen[3][MANY];
    for (int threads = 1; threads <= 3; threads++) {
        omp_set_num_threads(threads);
        ASSERT_OK(ead_coreset_choose(coreset, chosen[threads - 1]));
        ck_assert(memcmp(chosen[0], chosen[threads - 1], sizeof chosen[0]) == 0);
    }
    for (int n = 0; n < MANY; n++) {
        const float *taken = coreset->rows + chosen[0][n] * NUMBERS;
        double most = 0, its = distances[chosen[0][n]];
        for (int r = 0; r < ROWS; r++) most = fmax(most, distances[r]);
        ck_assert_msg(its >= most * (1 - 1e-5), "choice %d is %g away, another %g", n, its, most);
        for (int r = 0; r < ROWS; r++)
            distances[r] = fmin(distances[r], distance(coreset->rows + r * NUMBERS, taken));
        distances[chosen[0][n]] = -1;
    }
}

START_TEST(lazy_choice_is_the_plain_one) {
    float *rows = draw_rows();
    double distances[ROWS];
    EadCoreset coreset = {
        .rows = rows, .count = ROWS, .length = NUMBERS, .choose = MANY, .seed = 5, .quiet = true};
    for (int r = 0; r < ROWS; r++) {
        double sum = 0;
        for (int s = 0; s < 10; s++)
            sum += distance(rows + r * NUMBERS,
                            rows + ead_shuffled_index(5, EAD_STREAM_CORESET, (uint64_t)s, ROWS) * NUMBERS);
        distances[r] = sum / 10;
    }
    check_choice(&coreset, distances);
    coreset.exact = true;
    for (int r = 0; r < ROWS; r++) {
        double sum = 0;
        for (int s = 0; s < ROWS; s++) sum += pow(distance(rows + r * NUMBERS, rows + s * NUMBERS), 2);
        distances[r] = sqrt(sum);
    }
    check_choice(&coreset, distances);
    free(rows);
}
END_TEST

START_TEST(choice_goes_on_from_a_bank) {
    float *rows = draw_rows();
    double distances[ROWS];
    EadCoreset coreset = {.rows = rows, .count = ROWS, .length = NUMBERS, .choose = MANY, .quiet = true};
    coreset.bank = rows + 100 * NUMBERS, coreset.bank_count = 150;
    for (int r = 0; r < ROWS; r++) {
        distances[r] = (double)INFINITY;
        for (int s = 100; s < 250; s++)
            distances[r] = fmin(distances[r], distance(rows + r * NUMBERS, rows + s * NUMBERS));
    }
    check_choice(&coreset, distances);
    free(rows);
}
END_TEST

START_TEST(every_row_is_chosen_once) {
    float *rows = calloc(sizeof *rows, ROWS * NUMBERS); /* all the same */
    bool seen[ROWS] = {false};
    int64_t chosen[ROWS];
    EadCoreset coreset = {.rows = rows, .count = ROWS, .length = NUMBERS, .choose = ROWS - 1, .quiet = true};
    ASSERT_OK(ead_coreset_choose(&coreset, chosen));
    for (int n = 0; n < ROWS - 1; n++) {
        ck_assert(chosen[n] >= 0 && chosen[n] < ROWS && !seen[chosen[n]]);
        seen[chosen[n]] = true;
    }
    coreset.choose = ROWS;
    ASSERT_OK(ead_coreset_choose(&coreset, chosen));
    for (int n = 0; n < ROWS; n++) ck_assert_int_eq(chosen[n], n);
    free(rows);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("coreset");
    TCase *tests = tcase_create("coreset");
    tcase_set_timeout(tests, 0);
    tcase_add_test(tests, lazy_choice_is_the_plain_one);
    tcase_add_test(tests, choice_goes_on_from_a_bank);
    tcase_add_test(tests, every_row_is_chosen_once);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
