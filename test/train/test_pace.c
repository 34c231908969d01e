/* train --minutes: steps from times, what is written of them, and that measuring them leaves no trace in the bits. */
#define SCRATCH "build/scratch/test_pace/"
#include "test/support/trainer_runs.h"

#include "core/system/clock.h"
#include "train/evaluate/threshold_file.h"
#include "train/image_counts.h"
#include "train/pace.h"
#include "train/support/progress.h"

static void set_up(void) {
    remove_scratch();
    make_data();
    omp_set_num_threads(2);
}

START_TEST(steps_fill_the_seconds_but_are_not_too_few) {
    const EadPace pace = {.steps = 500, .counted = 1000}, few = {.steps = 5, .counted = 10};
    ck_assert_double_eq(ead_pace_factor(&pace, 250), 0.5);
    ck_assert_double_eq(ead_pace_factor(&pace, 1000), 2);
    ck_assert_double_eq(ead_pace_factor(&pace, 40), 0.1); /* 100 steps */
    ck_assert_double_eq(ead_pace_factor(&pace, -3), 0.1);
    ck_assert_double_eq(ead_pace_factor(&few, 1), 1);
}
END_TEST

static EadStatus run_spec(const char *run, const char *settings, EadRunSpec spec) {
    const EadBackend *backend;
    EadConfig config;
    ASSERT_OK(ead_backend_find("cpu", &backend));
    configure(&config, run, settings);
    spec.config = &config;
    spec.backend = backend;
    EadStatus status = ead_train(&spec);
    ead_config_free(&config);
    return status;
}

static EadStatus run_for(double minutes, const char *run, const char *settings, const bool *given) {
    return run_spec(run, settings, (EadRunSpec){.quiet = true, .minutes = minutes, .given = given});
}

/* However fast the machine is: the minutes are raised until they are enough. */
static void run_in_time(const char *run, const char *settings) {
    double minutes = 0.1;
    EadStatus status = run_for(minutes, run, settings, NULL);
    while (status == EAD_BAD_ARGUMENT && strstr(ead_error_message(), "is too short")) {
        ck_assert_msg(!exists(run), "%s is there", run);
        minutes *= 2;
        status = run_for(minutes, run, settings, NULL);
    }
    ASSERT_OK(status);
}

static void check_picked(const char *settings, const char *key, int *picked) {
    EadConfig config;
    char text[256];
    run_in_time(SCRATCH "timed/", settings);
    ASSERT_OK(ead_config_defaults(&config));
    ASSERT_OK(ead_config_load(SCRATCH "timed/config.yaml", &config));
    *picked = *(const int *)ead_config_member(&config, ead_config_find(key));
    snprintf(text, sizeof text, "%s %s=%d train.lr=%g", settings, key, *picked, config.train_lr);
    ead_config_free(&config);
    train(SCRATCH "told/", text);
    ck_assert(same_runs(SCRATCH "timed/", SCRATCH "told/"));
    ck_assert(same_tensors(SCRATCH "timed/checkpoint.safetensors", SCRATCH "told/checkpoint.safetensors"));
    ck_assert(same_files(SCRATCH "timed/losses.csv", SCRATCH "told/losses.csv"));
    remove_scratch();
    make_data();
}

START_TEST(a_timed_run_has_the_bits_of_a_told_one) {
    int steps;
    check_picked(STUDENT_ONLY "train.steps=8 train.lr_drop_at=0.5", "train.steps", &steps);
    ck_assert_int_ge(steps, 8);
    check_picked("model.method=simplenet simplenet.hidden=16 simplenet.epochs=2", "simplenet.epochs", &steps);
    ck_assert_int_ge(steps, 1);
    check_picked("model.method=fastflow fastflow.couplings=1 fastflow.epochs=2", "fastflow.epochs", &steps);
    ck_assert_int_ge(steps, 1);
}
END_TEST

/* The length of a run of 100 steps is told, which changes no bit; fewer are soon over. */
START_TEST(short_runs_are_told_their_length) {
    char *said;
    ck_assert_ptr_nonnull(freopen(SCRATCH "said", "w", stderr));
    ASSERT_OK(run_spec(SCRATCH "told/", STUDENT_ONLY "train.steps=100", (EadRunSpec){.quiet = false}));
    fflush(stderr);
    said = read_text(SCRATCH "said");
    assert_contains(said, "100 steps will take about ");
    assert_contains(said, " a step), all else ");
    ck_assert(strstr(said, "will take") < strstr(said, "memory of the training step"));
    free(said);
    ASSERT_OK(run_spec(SCRATCH "quiet/", STUDENT_ONLY "train.steps=100", (EadRunSpec){.quiet = true}));
    ck_assert(same_runs(SCRATCH "told/", SCRATCH "quiet/"));
    ck_assert(same_tensors(SCRATCH "told/checkpoint.safetensors", SCRATCH "quiet/checkpoint.safetensors"));
    ck_assert(same_files(SCRATCH "told/losses.csv", SCRATCH "quiet/losses.csv"));
    ck_assert_ptr_nonnull(freopen(SCRATCH "said", "w", stderr));
    ASSERT_OK(run_spec(SCRATCH "short/", STUDENT_ONLY "train.steps=99", (EadRunSpec){.quiet = false}));
    fflush(stderr);
    said = read_text(SCRATCH "said");
    ck_assert_ptr_null(strstr(said, "will take"));
    free(said);
}
END_TEST

/* What a run of so many seconds that has picked its steps looks like: a step of 0.1 s and an image of `image` s. */
static void pick(double seconds, double image, const char *settings, const bool *given, EadConfig *config,
                 EadPace *pace) {
    configure(config, SCRATCH "picked/", settings);
    *pace = (EadPace){.counted = 70000,
                      .images = {.score = image},
                      .validation = 20,
                      .calibrated = 20,
                      .begun = ead_clock_seconds()};
    pace->looks = ead_pace_looks(pace, config);
    pace->steps = 0.1 * (double)pace->counted + pace->looks;
    EadRunSpec spec = {.quiet = true, .minutes = seconds / 60, .given = given};
    ASSERT_OK(ead_pace_pick(pace, ead_fit_find("efficientad"), &spec, config));
}

/* Rows in validation.csv, and what steps and looks take beside the seconds that there are for them. */
static void check_looks(double seconds, double image, const char *settings, const bool *given, int least,
                        int most) {
    EadConfig config;
    EadPace pace;
    pick(seconds, image, settings, given, &config, &pace);
    int every = config.train_validate_every, looks = every > 0 ? config.train_steps / every : 0;
    double taken = 0.1 * config.train_steps + 20 * image * looks + 40 * image; /* the end takes the last */
    ck_assert_msg(looks >= least && looks <= most, "%d looks in %g s", looks, seconds);
    ck_assert_msg(config.train_steps <= 100 || taken < 1.01 * seconds, "%g of %g s", taken, seconds);
    ead_config_free(&config);
}

START_TEST(short_trainings_are_looked_at_too) {
    bool given[EAD_CONFIG_KEYS] = {false};
    check_looks(60, 0.001, "train.steps=70000", NULL, 9, 11);
    check_looks(60, 0.02, "train.steps=70000", given, 4, 5);      /* a thirtieth of the time */
    check_looks(60, 10, "train.steps=70000", given, 0, 0);        /* of which one would take more */
    check_looks(3000, 0.001, "train.steps=70000", given, 59, 61); /* every 500 steps as ever */
    check_looks(60, 0.001, "train.steps=70000 train.validate_every=20", given, 29, 31);
    check_looks(60, 0.001, "train.steps=70000 train.validate_every=0", given, 0, 0);
    check_looks(60, 0.001, "train.steps=70000 train.until_converged=true", given, 1, 1);
    given[EAD_KEY_train_validate_every] = true;
    check_looks(60, 0.001, "train.steps=70000", given, 1, 1);
}
END_TEST

/* A rate of 1e-4 for so many steps. */
static double shortened_rate(int steps, const bool *given, const char *init) {
    EadConfig config;
    char text[32];
    ASSERT_OK(ead_config_defaults(&config));
    snprintf(text, sizeof text, "%d", steps);
    ASSERT_OK(ead_config_set_key(&config, EAD_KEY_train_steps, text));
    ASSERT_OK(ead_config_set_key(&config, EAD_KEY_model_init, init));
    ASSERT_OK(ead_fit_find("efficientad")->shorten(&config, given));
    double rate = config.train_lr;
    ead_config_free(&config);
    return rate;
}

START_TEST(short_trainings_learn_faster) {
    bool given[EAD_CONFIG_KEYS] = {false};
    ck_assert_double_eq(shortened_rate(70000, NULL, ""), 1e-4);
    ck_assert_double_eq(shortened_rate(7000, given, ""), 1e-4);
    ck_assert_double_eq(shortened_rate(1750, given, ""), 2e-4);
    ck_assert_double_eq(shortened_rate(280, given, ""), 5e-4);
    ck_assert_double_eq(shortened_rate(1, NULL, ""), 5e-4);
    ck_assert_double_eq(shortened_rate(280, given, "model.safetensors"), 1e-4);
    given[EAD_KEY_train_lr] = true;
    ck_assert_double_eq(shortened_rate(280, given, ""), 1e-4);
}
END_TEST

/* Measuring alone takes longer than the shortest. */
START_TEST(what_cannot_be_is_refused_before_anything_is_written) {
    bool given[EAD_CONFIG_KEYS] = {false};
    given[EAD_KEY_train_steps] = true;
    ASSERT_FAILS(run_for(0.01, SCRATCH "refused/", STUDENT_ONLY, NULL), EAD_BAD_ARGUMENT,
                 "--minutes 0.01 is too short: 100 steps");
    ASSERT_FAILS(run_for(5, SCRATCH "refused/", STUDENT_ONLY, given), EAD_BAD_ARGUMENT,
                 "--minutes picks train.steps, which --set names, too");
    ASSERT_FAILS(run_for(5, SCRATCH "refused/", "model.method=patchcore", NULL), EAD_BAD_ARGUMENT,
                 "patchcore is fitted without");
    ck_assert(!exists(SCRATCH "refused"));
}
END_TEST

/* 18 + 2 images are decoded, 18 looked at; of 18 three times as much is chosen as of 6, to the power of 2; 2 + 2 + 10 are
 * scored and 10 measured. */
START_TEST(what_is_done_with_images_adds_up) {
    const EadPaceImages images = {.decode = 0.1, .look = 0.01, .score = 0.2, .measure = 0.5};
    EadPace pace = {.images = images, .train = 18, .validation = 2, .test = 10, .calibrated = 2};
    ck_assert_double_eq_tol(ead_pace_decoding(&pace), 2, 1e-9);
    ck_assert_double_eq_tol(ead_pace_fitting(&pace), 0.18, 1e-9);
    ck_assert_double_eq_tol(ead_pace_ending(&pace), 2.8 + 5, 1e-9);
    pace.images.choice = 4, pace.images.choice_power = 2, pace.images.chosen_of = 6;
    ck_assert_double_eq_tol(ead_pace_fitting(&pace), 0.18 + 36, 1e-9);
    EadConfig config;
    ASSERT_OK(ead_config_defaults(&config));
    ead_pace_count(ead_fit_find("efficientad"), &config, 18, 2, 10, &pace);
    ck_assert(pace.train == 18 && pace.validation == 2 && pace.test == 10 && pace.calibrated == 2);
    ead_pace_count(ead_fit_find("simplenet"), &config, 18, 2, 10, &pace);
    ck_assert_int_eq(pace.calibrated, 0);
    ead_pace_count(ead_fit_find("patchcore_ensemble"), &config, 18, 2, 10, &pace);
    ck_assert_int_eq(pace.calibrated, 2);
    config.patchcore_ensemble_fusion = EAD_FUSION_CHOICE_TEST;
    ead_pace_count(ead_fit_find("patchcore_ensemble"), &config, 18, 2, 10, &pace);
    ck_assert_int_eq(pace.calibrated, 10);
    ead_config_free(&config);
}
END_TEST

/* Of each method all is found that a training does, and nothing is written. */
START_TEST(what_is_done_with_images_is_timed) {
    static const char *const methods[] = {"efficientad", "patchcore", "patchcore_ensemble", "simplenet",
                                          "fastflow",    "ast",       "student_teacher"};
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        char settings[320];
        const EadBackend *backend;
        EadConfig config;
        EadDataset dataset;
        EadPaceImages images;
        ASSERT_OK(ead_backend_find("cpu", &backend));
        snprintf(settings, sizeof settings,
                 "model.method=%s fastflow.couplings=1 ast.teacher_hidden=8 ast.student_hidden=8 "
                 "student_teacher.fields=33 student_teacher.students=1 student_teacher.images=" SCRATCH
                 "textures dataset.cache=" SCRATCH "none",
                 methods[i]);
        configure(&config, SCRATCH "timed/", settings);
        ASSERT_OK(ead_config_list_dataset(&config, &dataset));
        dataset.has_masks = true; /* as if there were test images */
        ASSERT_OK(ead_pace_images(ead_fit_find(methods[i]),
                                  &(EadRunSpec){.config = &config, .backend = backend}, &dataset, &images));
        ck_assert(images.decode > 0 && images.look >= 0 && images.score > 0 && images.measure > 0);
        ck_assert_int_eq(images.choice > 0, strncmp(methods[i], "patchcore", 9) == 0);
        ck_assert_int_eq(images.chosen_of, images.choice > 0 ? dataset.train.count : 0);
        ck_assert(!exists(SCRATCH "timed") && !exists(SCRATCH "none"));
        ead_dataset_free(&dataset);
        ead_config_free(&config);
    }
}
END_TEST

/* The teacher's outputs are kept where there are more steps than images: then a step does without the teacher. */
START_TEST(a_sample_keeps_what_its_run_would) {
    const struct {
        const char *settings;
        int images;
        bool kept;
    } cases[] = {{"train.steps=9", 0, true},
                 {"train.steps=9", 8, true},
                 {"train.steps=9", 9, false},
                 {"train.steps=9 train.teacher_cache=true", 9, true},
                 {"train.steps=9 train.teacher_cache=false", 8, false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const EadFit *fit = ead_fit_find("efficientad");
        const EadBackend *backend;
        EadConfig config;
        EadStep step = {0};
        void *state;
        size_t bytes[2];
        ASSERT_OK(ead_backend_find("cpu", &backend));
        for (int kept = 0; kept < 2; kept++) { /* kept: as cases say, else never */
            configure(&config, SCRATCH "sample/", kept ? cases[i].settings : "train.teacher_cache=false");
            ASSERT_OK(fit->sample(&(EadRunSpec){.config = &config, .backend = backend, .quiet = true},
                                  cases[i].images, &state));
            ASSERT_OK(fit->plan(state, 0, &step));
            bytes[kept] = ead_step_bytes(&step);
            ead_step_free(&step);
            fit->free(state);
            ead_config_free(&config);
        }
        ck_assert_msg((bytes[1] != bytes[0]) == cases[i].kept, "%zu: %zu and %zu", i, bytes[1], bytes[0]);
    }
}
END_TEST

START_TEST(durations_are_told_to_a_few_per_cent) {
    static const struct {
        double seconds;
        const char *text;
    } cases[] = {{0.31, "310 ms"},      {0.9996, "1 s"},        {119.4, "119 s"},    {120, "2.0 minutes"},
                 {283, "4.7 minutes"},  {596.9, "9.9 minutes"}, {597, "10 minutes"}, {660, "11 minutes"},
                 {7199, "120 minutes"}, {7200, "2.0 hours"},    {172800, "2.0 days"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[EAD_DURATION_SIZE];
        ck_assert_str_eq(ead_duration_text(cases[i].seconds, text), cases[i].text);
    }
}
END_TEST

/* 70,000 steps of 0.275 s; what comes besides: 2 s of decoding and 1.4 s of scores. */
START_TEST(the_length_of_a_run_is_told_with_a_shorter_one) {
    const EadPace pace = {.steps = 19250,
                          .counted = 70000,
                          .images = {.decode = 0.1, .score = 0.1},
                          .train = 18,
                          .validation = 2,
                          .test = 10,
                          .calibrated = 2};
    const EadPace brief = {.steps = 300, .looks = 12, .counted = 2000};
    char text[EAD_PACE_SIZE];
    ead_pace_describe(&pace, "70000 steps", text);
    ck_assert_str_eq(
        text,
        "70000 steps will take about 5.3 hours here (275 ms a step), all else 3.4 s; --minutes 60 would do "
        "about 13079 of the 70000 steps");
    ead_pace_describe(&brief, "10 epochs", text);
    ck_assert_str_eq(text,
                     "10 epochs will take about 5.0 minutes here (150 ms a step, 4 % for scoring images in "
                     "between), all else 0 s");
    ead_pace_describe(&(EadPace){.steps = 1510, .counted = 1000}, "1000 steps", text);
    assert_contains(text, "(1.51 s a step)");
    ead_pace_describe(&(EadPace){.steps = 0.4, .counted = 1000}, "1 epoch", text);
    ck_assert_str_eq(text, "1 epoch will take about 400 ms here (0.4 ms a step), all else 0 s");
}
END_TEST

/* Bounds by scipy.stats.binomtest(0, n).proportion_ci(0.95, "exact"); 0.9^22 and 0.9^44 by hand. */
START_TEST(few_images_are_told_with_what_they_leave_open) {
    EadConfig config;
    char text[EAD_COUNT_WARNING];
    ASSERT_OK(ead_config_defaults(&config));
    ead_warn_of_validation_images(&config, 3, text);
    ck_assert_str_eq(
        text, "3 validation images: the false-alarm rate of the threshold will be known only to lie between "
              "0 and 70.8 %; with 30 it would be 0 to 11.6 % (more images, or "
              "dataset.validation_fraction)");
    ead_warn_of_validation_images(&config, 20, text);
    ck_assert_str_eq(text, "");
    config.threshold_method = EAD_THRESHOLD_NONE;
    ead_warn_of_validation_images(&config, 3, text);
    ck_assert_str_eq(text, "");
    ead_config_free(&config);
    ead_warn_of_training_images(22, text);
    ck_assert_str_eq(
        text,
        "22 training images: a look that one good part in 10 has is missing with a probability of 9.8 %; "
        "with 44 images, below 1 %");
    ead_warn_of_training_images(44, text);
    ck_assert_str_eq(text, "");
}
END_TEST

static Suite *make_suite(void) {
    Suite *suite = suite_create("pace");
    TCase *tests = tcase_create("pace");
    tcase_set_timeout(tests, 0);
    tcase_add_unchecked_fixture(tests, set_up, remove_scratch);
    tcase_add_test(tests, steps_fill_the_seconds_but_are_not_too_few);
    tcase_add_test(tests, a_timed_run_has_the_bits_of_a_told_one);
    tcase_add_test(tests, short_runs_are_told_their_length);
    tcase_add_test(tests, short_trainings_are_looked_at_too);
    tcase_add_test(tests, short_trainings_learn_faster);
    tcase_add_test(tests, what_cannot_be_is_refused_before_anything_is_written);
    tcase_add_test(tests, what_is_done_with_images_adds_up);
    tcase_add_test(tests, what_is_done_with_images_is_timed);
    tcase_add_test(tests, a_sample_keeps_what_its_run_would);
    tcase_add_test(tests, durations_are_told_to_a_few_per_cent);
    tcase_add_test(tests, the_length_of_a_run_is_told_with_a_shorter_one);
    tcase_add_test(tests, few_images_are_told_with_what_they_leave_open);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void) {
    return run_trainer_suite(make_suite(), "build/scratch/test_pace.log");
}
