/* What is told of a training while it goes on: that it changes no bit, that rows outlive an interruption, and what is in
 * them. */
#define SCRATCH "build/scratch/test_watch/"
#include "test/support/trainer_runs.h"
#include "train/metrics/threshold_rule.h"

#define SCORES "step,minimum,lower_quartile,median,upper_quartile,maximum,lr\n"
#define TESTS  "step,image_auroc,au_pro_0.30,lr\n"

/* Test images besides: the training images as good ones, textures as defects. */
static void set_up(void) {
    remove_scratch();
    make_data();
    ck_assert_int_eq(system("cd " SCRATCH "data/gasket && mkdir -p test/good test/odd && cp "
                            "train/good/000.png test/good && cp ../../textures/000.png test/odd"),
                     0);
    omp_set_num_threads(2);
}

/* numpy.quantile(scores, [0, 0.25, 0.5, 0.75, 1]) */
START_TEST(quartiles_agree_with_numpy) {
    const float scores[] = {0.5f, -1, 3, 0.25f, 8, 2};
    const float expected[] = {-1, 0.3125f, 1.25f, 2.75f, 8};
    float out[5];
    ASSERT_OK(ead_score_quartiles(scores, 6, out));
    for (int i = 0; i < 5; i++) ck_assert_float_eq(out[i], expected[i]);
    ASSERT_OK(ead_score_quartiles(scores, 1, out));
    for (int i = 0; i < 5; i++) ck_assert_float_eq(out[i], 0.5f);
}
END_TEST

/* Rows as text: [TEXT_SIZE]. */
static void read_table(const char *path, const char *header, char *text) {
    read_into(path, text);
    ck_assert_msg(strncmp(text, header, strlen(header)) == 0, "%s: %s", path, text);
}

static int count_rows(const char *text) {
    int rows = -1;
    for (; *text; text++) rows += *text == '\n';
    return rows;
}

START_TEST(looking_on_changes_no_bit) {
    char text[TEXT_SIZE];
    double step, lowest, quarter, middle, three_quarters, highest, rate;
    train(SCRATCH "blind/", STUDENT_ONLY "train.steps=4");
    train(SCRATCH "seen/", STUDENT_ONLY "train.steps=4 train.validate_every=2 train.test_every=4");
    ck_assert(same_runs(SCRATCH "blind/", SCRATCH "seen/"));
    ck_assert(same_files(SCRATCH "blind/losses.csv", SCRATCH "seen/losses.csv"));
    ck_assert(same_tensors(SCRATCH "blind/checkpoint.safetensors", SCRATCH "seen/checkpoint.safetensors"));
    ck_assert(!exists(SCRATCH "blind/validation.csv") && !exists(SCRATCH "blind/test.csv"));
    read_table(SCRATCH "seen/validation.csv", SCORES, text);
    ck_assert_int_eq(count_rows(text), 2);
    ck_assert_int_eq(sscanf(text + strlen(SCORES), "%lf,%lf,%lf,%lf,%lf,%lf,%lf", &step, &lowest, &quarter,
                            &middle, &three_quarters, &highest, &rate),
                     7);
    ck_assert(step == 2 && fabs(rate - 1e-4) < 1e-10);
    ck_assert(lowest > 0 && lowest <= quarter && quarter <= middle && middle <= three_quarters &&
              three_quarters <= highest);
    read_table(SCRATCH "seen/test.csv", TESTS, text);
    ck_assert_int_eq(count_rows(text), 1);
    ck_assert_int_eq(sscanf(text + strlen(TESTS), "%lf,%lf", &step, &lowest), 2);
    ck_assert(step == 4 && lowest >= 0 && lowest <= 1);
}
END_TEST

START_TEST(a_longer_run_keeps_the_rows_of_its_first_part) {
    static const char settings[] = STUDENT_ONLY "train.validate_every=2 train.steps=";
    char steps[128], whole[TEXT_SIZE], resumed[TEXT_SIZE];
    snprintf(steps, sizeof steps, "%s4", settings);
    train(SCRATCH "whole/", steps);
    snprintf(steps, sizeof steps, "%s3", settings);
    train(SCRATCH "parts/", steps);
    snprintf(steps, sizeof steps, "%s4", settings);
    resume(SCRATCH "parts/", steps);
    read_table(SCRATCH "whole/validation.csv", SCORES, whole);
    read_table(SCRATCH "parts/validation.csv", SCORES, resumed);
    ck_assert_int_eq(count_rows(whole), 2);
    ck_assert_str_eq(whole, resumed);
    ASSERT_FAILS(
        try_run(SCRATCH "never/", STUDENT_ONLY "train.validate_every=0 train.until_converged=true", false),
        EAD_BAD_ARGUMENT, "train.validate_every: 0 looks never");
}
END_TEST

static Suite *make_suite(void) {
    Suite *suite = suite_create("watch");
    TCase *tests = tcase_create("watch");
    tcase_set_timeout(tests, 0);
    tcase_add_unchecked_fixture(tests, set_up, remove_scratch);
    tcase_add_test(tests, quartiles_agree_with_numpy);
    tcase_add_test(tests, looking_on_changes_no_bit);
    tcase_add_test(tests, a_longer_run_keeps_the_rows_of_its_first_part);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void) {
    return run_trainer_suite(make_suite(), "build/scratch/test_watch.log");
}
