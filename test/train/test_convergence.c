/* train.until_converged: when losses fall no more, how many steps are left then, and that a run which ends early has the
 * bits of one that was told to (resumed on the way: test/program/test_interruptions.c). */
#define SCRATCH "build/scratch/test_convergence/"
#include "test/support/trainer_runs.h"

#include "train/loop/convergence.h"

static void set_up(void) {
    remove_scratch();
    make_data();
    omp_set_num_threads(2);
}

static int reached(const double *losses, int count, int window, double fall) {
    EadConvergence convergence = {0};
    for (int i = 0; i < count; i++) ASSERT_OK(ead_convergence_add(&convergence, losses[i]));
    int number = ead_convergence_reached(&convergence, window, fall);
    ead_convergence_free(&convergence);
    return number;
}

/* By hand: with windows of two the means are 9, 7, 5.5, 5, 5, 5.5 from the second measurement on. */
START_TEST(windows_are_compared) {
    static const double losses[] = {10, 8, 6, 5, 5, 5, 6};
    ck_assert_int_eq(reached(losses, 3, 2, 0.1), 0);
    ck_assert_int_eq(reached(losses, 4, 2, 0.1), 0);  /* 9 to 5.5 */
    ck_assert_int_eq(reached(losses, 5, 2, 0.1), 0);  /* 7 to 5 */
    ck_assert_int_eq(reached(losses, 6, 2, 0.1), 6);  /* 5.5 to 5: by 9 % */
    ck_assert_int_eq(reached(losses, 6, 2, 0.09), 0); /* which is more than that */
    ck_assert_int_eq(reached(losses, 7, 2, 0.09), 7); /* 5 to 5.5 */
    ck_assert_int_eq(reached(losses, 7, 1, 0), 5);    /* 5 to 5 */
    ck_assert_int_eq(reached(losses, 7, 1, 0.3), 2);  /* 10 to 8; the first is what counts */
    ck_assert_int_eq(reached((const double[]){1, NAN}, 2, 1, 0.5), 2);
}
END_TEST

START_TEST(the_last_steps_are_a_share_of_all) {
    ck_assert_int_eq(ead_convergence_steps(950, 0.95, 70000), 1000);
    ck_assert_int_eq(ead_convergence_steps(500, 0.95, 70000), 527);
    ck_assert_int_eq(ead_convergence_steps(950, 0.95, 970), 970);
    ck_assert_int_eq(ead_convergence_steps(500, 1, 70000), 500);
    ck_assert_int_eq(ead_convergence_steps(500, 0, 70000), 500);
}
END_TEST

/* The model of b, which converged, holds what was measured besides. */
static void check_same_training(const char *a, const char *b) {
    char x[128], y[128];
    snprintf(x, sizeof x, "%slosses.csv", a);
    snprintf(y, sizeof y, "%slosses.csv", b);
    ck_assert(same_files(x, y));
    snprintf(x, sizeof x, "%smodel.safetensors", a);
    snprintf(y, sizeof y, "%smodel.safetensors", b);
    ck_assert(tensors_within(x, y));
}

/* With falls of up to 90 % being none, two measurements are enough. */
#define CONVERGES                                                                                            \
    "autoencoder.enabled=false train.until_converged=true train.validate_every=1 train.converged_window=1 "  \
    "train.converged_fall=0.9 train.lr_drop_at=0.5 "

START_TEST(it_ends_with_the_dropped_rate) {
    LossRow rows[4];
    train(SCRATCH "told/", "autoencoder.enabled=false train.lr_drop_at=0.5 train.steps=4");
    train(SCRATCH "converged/", CONVERGES "train.steps=50");
    read_rows(SCRATCH "converged/", 4, rows);
    for (int i = 0; i < 4; i++) ck_assert_double_eq_tol(rows[i].rate, i < 2 ? 1e-4 : 1e-5, 1e-11);
    check_same_training(SCRATCH "told/", SCRATCH "converged/");
    ck_assert_int_eq(system("cp -r " SCRATCH "converged " SCRATCH "again"), 0);
    resume(SCRATCH "again/", CONVERGES "train.steps=60"); /* nothing is left to do */
    ck_assert(same_runs(SCRATCH "converged/", SCRATCH "again/"));
}
END_TEST

/* Measuring changes no bits, and the most of the steps holds. */
START_TEST(it_may_not_converge) {
    train(SCRATCH "plain/", STUDENT_ONLY "train.steps=3");
    train(SCRATCH "measured/",
          STUDENT_ONLY "train.steps=3 train.until_converged=true train.validate_every=1");
    check_same_training(SCRATCH "plain/", SCRATCH "measured/");
    ASSERT_FAILS(try_run(SCRATCH "other/", "model.method=fastflow train.until_converged=true", false),
                 EAD_BAD_ARGUMENT, "train.until_converged: fastflow has no loss on validation images");
    ck_assert(!exists(SCRATCH "other"));
}
END_TEST

static Suite *make_suite(void) {
    Suite *suite = suite_create("convergence");
    TCase *tests = tcase_create("convergence");
    tcase_set_timeout(tests, 0);
    tcase_add_unchecked_fixture(tests, set_up, remove_scratch);
    tcase_add_test(tests, windows_are_compared);
    tcase_add_test(tests, the_last_steps_are_a_share_of_all);
    tcase_add_test(tests, it_ends_with_the_dropped_rate);
    tcase_add_test(tests, it_may_not_converge);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void) {
    return run_trainer_suite(make_suite(), "build/scratch/test_convergence.log");
}
