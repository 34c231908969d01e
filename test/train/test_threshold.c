/* The threshold from normal images and the choice of maps: the rule against hand-computed and scipy's values,
 * then what eval and predict make of what the model file holds. */
#include "test/support/runs.h"
#include "test/support/sample_models.h"
#include "test/support/scratch.h"
#include "train/evaluate/threshold_file.h"

#include <jansson.h>
#include <math.h>

#define FOLDER "build/scratch/test_threshold/"
#define MODEL  FOLDER "model.safetensors"

START_TEST(interval_agrees_with_scipy) {
    /* scipy.stats.binomtest(hits, count).proportion_ci(level, "exact") */
    static const struct {
        int hits, count;
        double level, low, high;
    } cases[] = {
        {0, 21, 0.95, 0, 0.16109761521907959},
        {1, 21, 0.95, 0.0012048834483706452, 0.23815990993682104},
        {5, 21, 0.95, 0.082175875593022543, 0.47165982765462428},
        {21, 21, 0.95, 0.83890238478092038, 1},
        {3, 1000, 0.95, 0.00061909993164991728, 0.0087420232386576542},
        {0, 1, 0.9, 0, 0.94999999999999996},
        {40, 400, 0.99, 0.065079086129194691, 0.14478444310106206},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double low, high;
        ead_clopper_pearson(cases[i].hits, cases[i].count, cases[i].level, &low, &high);
        ck_assert_double_eq_tol(low, cases[i].low, 1e-10);
        ck_assert_double_eq_tol(high, cases[i].high, 1e-10);
    }
}
END_TEST

static EadThreshold choose(const float *scores, int count, EadThresholdMethod method, double value) {
    EadThreshold threshold;
    ASSERT_OK(ead_threshold_choose(scores, count, (EadThresholdRule){method, value}, &threshold));
    ck_assert_int_eq(threshold.images, count);
    return threshold;
}

START_TEST(rules_by_hand) {
    static const float scores[] = {3, 1, 5, 2, 4}, ties[] = {7, 7, 7, 1};
    EadThreshold t = choose(scores, 5, EAD_THRESHOLD_QUANTILE, 0.9);
    ck_assert_float_eq_tol(t.value, 4.6f, 1e-6f);
    ck_assert_int_eq(t.alarms, 1);
    ck_assert_float_eq(choose(scores, 5, EAD_THRESHOLD_QUANTILE, 0).value, 1);
    ck_assert_float_eq(choose(scores, 5, EAD_THRESHOLD_QUANTILE, 1).value, 5);
    ck_assert_float_eq(choose(scores, 1, EAD_THRESHOLD_QUANTILE, 0.3).value, 3);
    t = choose(scores, 5, EAD_THRESHOLD_FALSE_ALARM_RATE, 0.4); /* two of five may reach it */
    ck_assert(t.value > 3 && t.value < 3.0001f && t.alarms == 2);
    t = choose(scores, 5, EAD_THRESHOLD_FALSE_ALARM_RATE, 0.39);
    ck_assert(t.value > 4 && t.value < 4.0001f && t.alarms == 1);
    t = choose(scores, 5, EAD_THRESHOLD_FALSE_ALARM_RATE, 0.01);
    ck_assert(t.value > 5 && t.alarms == 0 && t.low == 0);
    ck_assert_double_eq_tol(t.high, 1 - pow(0.025, 1.0 / 5), 1e-12); /* no hit: (1 - p)^n = 0.025 */
    ck_assert_int_eq(choose(scores, 5, EAD_THRESHOLD_FALSE_ALARM_RATE, 1).alarms, 5);
    t = choose(ties, 4, EAD_THRESHOLD_FALSE_ALARM_RATE, 0.5); /* not two of the three that are equal */
    ck_assert(t.value > 7 && t.alarms == 0);
    t = choose(scores, 5, EAD_THRESHOLD_NONE, 0.5);
    ck_assert(isnan(t.value) && t.alarms == 0);
}
END_TEST

START_TEST(the_bound_of_few_images_agrees_with_scipy) {
    /* scipy.stats.t.ppf(1 - probability, freedom) */
    static const struct {
        int freedom;
        double probability, bound;
    } cases[] = {{1, 0.01, 31.820515953773935},
                 {2, 0.01, 6.9645567342832715},
                 {3, 0.05, 2.3533634348018233},
                 {5, 0.01, 3.3649299989072174},
                 {20, 0.01, 2.527977002741573},
                 {98, 0.01, 2.3650024104869263},
                 {2, 0.5, 0},
                 {7, 1e-6, 14.241469651921154}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        ck_assert_double_eq_tol(ead_student_bound(cases[i].freedom, cases[i].probability), cases[i].bound,
                                1e-9 * (1 + cases[i].bound));
    static const float few[] = {0.10f, 0.12f, 0.09f};
    float many[100];
    /* mean + t.ppf(0.95, 2) * std(ddof=1) * sqrt(1 + 1/3) */
    EadThreshold t = choose(few, 3, EAD_THRESHOLD_PREDICTION, 0.01);
    ck_assert_float_eq_tol(t.value, 0.15483703f, 1e-6f);
    ck_assert_int_eq(t.alarms, 0);
    for (int i = 0; i < 100; i++) many[i] = (float)i; /* enough to count a hundredth, not less */
    ck_assert(choose(many, 100, EAD_THRESHOLD_PREDICTION, 0.01).value < 98.001f);
    ck_assert(choose(many, 99, EAD_THRESHOLD_PREDICTION, 0.01).value < 98.001f); /* the bound is below them */
    ck_assert(choose(few, 3, EAD_THRESHOLD_PREDICTION, 0.34).alarms == 1);       /* a third can be counted */
    ck_assert(choose(few, 1, EAD_THRESHOLD_PREDICTION, 0.01).value < 0.1001f);   /* one has no spread */
    ck_assert(choose(few, 3, EAD_THRESHOLD_PREDICTION, 0.6).alarms == 1);
    static const float equal[] = {2, 2, 2};
    t = choose(equal, 3, EAD_THRESHOLD_PREDICTION, 0.01);
    ck_assert(t.value > 2 && t.value < 2.0001f && t.alarms == 0);
}
END_TEST

START_TEST(broken_scores_are_refused) {
    static const float scores[] = {1, INFINITY};
    EadThreshold threshold;
    ASSERT_FAILS(ead_threshold_choose(scores, 2, (EadThresholdRule){EAD_THRESHOLD_QUANTILE, 0.5}, &threshold),
                 EAD_BAD_ARGUMENT, "the score of validation image 2 is inf");
}
END_TEST

START_TEST(description) {
    static const float scores[] = {3, 1, 5, 2, 4};
    char text[160];
    EadThreshold t = choose(scores, 5, EAD_THRESHOLD_QUANTILE, 0.9);
    ead_threshold_describe(&t, text, sizeof text);
    ck_assert_str_eq(
        text, "4.6: 1 of 5 validation images reach it; false-alarm rate 0.505 to 71.6 % (95 % confidence)");
    t.value = NAN;
    ead_threshold_describe(&t, text, sizeof text);
    ck_assert_str_eq(text, "none");
    t = ead_threshold_assess(0.25f, NULL, 0);
    ck_assert(t.images == 0 && t.alarms == 0 && t.low == 0 && t.high == 1);
    ead_threshold_describe(&t, text, sizeof text);
    ck_assert_str_eq(text, "0.25");
}
END_TEST

/* ---- maps ---- */

static float *map_with(EadMapUse use, const char *path) {
    EadDetector *detector;
    float score;
    EadEfficientad *model = tiny_model();
    ASSERT_OK(ead_model_choose_maps(&model->base, use));
    ASSERT_OK(ead_detector_new(&model->base, NULL, 1, &detector));
    float *map = library_map(detector, path, &score);
    ck_assert_float_eq(score, largest(map, TINY_SIDE * TINY_SIDE));
    ead_detector_close(detector);
    ead_efficientad_free(model);
    return map;
}

START_TEST(the_map_of_both_is_the_mean) {
    write_noise_png(FOLDER "noise.png", TINY_SIDE, TINY_SIDE, 3, 8);
    float *both = map_with(EAD_USE_BOTH, FOLDER "noise.png"), *st = map_with(EAD_USE_ST, FOLDER "noise.png");
    float *ae = map_with(EAD_USE_AE, FOLDER "noise.png");
    int differ = 0;
    for (int i = 0; i < TINY_SIDE * TINY_SIDE; i++) {
        float mean = 0.5f * (st[i] + ae[i]);
        ck_assert_float_eq_tol(both[i], mean, 1e-4f * (fabsf(st[i]) + fabsf(ae[i])) + 1e-6f);
        differ += fabsf(st[i] - ae[i]) > 0.1f * fabsf(st[i]);
    }
    ck_assert_int_gt(differ, TINY_SIDE);
    free(both);
    free(st);
    free(ae);
}
END_TEST

START_TEST(the_model_file_keeps_the_choice) {
    EadEfficientad *model = tiny_model();
    EadModel *back;
    ASSERT_OK(ead_model_choose_maps(&model->base, EAD_USE_AE));
    make_folders(MODEL);
    ASSERT_OK(ead_model_save(&model->base, MODEL, NULL));
    ASSERT_OK(ead_model_open(MODEL, &back));
    ck_assert_int_eq(back->map_choice, EAD_USE_AE);
    ead_model_free(back);
    ead_efficientad_free(model);
    EadEfficientadSpec spec = {.height = TINY_SIDE, .width = TINY_SIDE};
    ASSERT_OK(ead_efficientad_new(&spec, &model));
    ASSERT_OK(ead_model_choose_maps(&model->base, EAD_USE_ST));
    ASSERT_FAILS(ead_model_choose_maps(&model->base, EAD_USE_AE), EAD_BAD_ARGUMENT, "has no autoencoder");
    ead_efficientad_free(model);
}
END_TEST

/* ---- the commands ---- */

static const float scores[] = {0.5f, 1, 1.5f, 2, 2.5f, 3, 3.5f, 4, 4.5f, 5};

/* A model whose validation scores are known, and as many largest values of maps, and a small test set. */
static void write_run(int score_count, int peak_count) {
    static const char config[] =
        "dataset:\n  type: folder\n  path: " FOLDER "data\n  normal: train\n  test_good: "
        "good\n  defects: bad\n";
    ck_assert_int_eq(shell("rm -rf " FOLDER), 0);
    static const char *const images[] = {"train/a", "train/b", "good/a", "good/b", "bad/dent/a"};
    for (size_t i = 0; i < sizeof images / sizeof *images; i++) {
        char path[128];
        snprintf(path, sizeof path, FOLDER "data/%s.png", images[i]);
        write_noise_png(path, 64, 64, 3, (uint32_t)i);
    }
    EadFileMetadata metadata[] = {{"config", config}};
    static const float peaks[] = {0.125f, 0.375f};
    EadFileArray arrays[] = {{EAD_VALIDATION_SCORES, EAD_FILE_F32, score_count, scores},
                             {EAD_VALIDATION_PEAKS, EAD_FILE_F32, peak_count, peaks}};
    EadEfficientad *model = tiny_model();
    model->base.threshold = 0.25f;
    ASSERT_OK(ead_model_save(&model->base, MODEL,
                             &(EadFileExtras){metadata, 1, arrays, (score_count > 0) + (peak_count > 0)}));
    ead_efficientad_free(model);
}

/* The pixel threshold that eval reports with these options; NAN for none. The model scores by its map's maximum. */
static double pixels_of_eval(const char *options) {
    char arguments[512];
    snprintf(arguments, sizeof arguments, "eval -q --model " MODEL " -o " FOLDER "eval %s", options);
    ck_assert_int_eq(run_program(FOLDER, arguments), 0);
    json_t *root = json_load_file(FOLDER "stdout", 0, NULL),
           *value = json_object_get(root, "pixel_threshold");
    double threshold = value ? json_number_value(value) : (double)NAN;
    json_decref(root);
    return threshold;
}

START_TEST(pixel_threshold_of_options_and_file) {
    SKIP_UNLESS(getenv("PROGRAM"), "PROGRAM is not set");
    write_run(10, 0);
    ck_assert_double_eq(pixels_of_eval(""), 0.25); /* an old file: that of the score */
    assert_file_holds(FOLDER "stderr", "pixel threshold 0.25: 10 of 10 validation images reach it");
    ck_assert_double_eq(pixels_of_eval("--threshold 3"), 3);
    ck_assert_double_eq(pixels_of_eval("--threshold 3 --pixel-threshold 2"), 2);
    ck_assert_double_eq(pixels_of_eval("--pixel-threshold 2"), 2);
    ck_assert_double_eq_tol(pixels_of_eval("--set threshold.false_alarm_rate=0.2"), 4, 1e-6);
    ck_assert(isnan(pixels_of_eval("--use st")));
    write_run(10, 2); /* of images that are smaller than the model's, maps have lower peaks than scores say */
    ck_assert_double_eq(pixels_of_eval(""), 0.25);
    assert_file_holds(FOLDER "stderr", "pixel threshold 0.25: 1 of 2 validation images reach it");
    EadModel *model;
    ASSERT_OK(ead_model_open(MODEL, &model));
    model->pixel_threshold = 7.25f;
    model->map_level = -0.5f;
    ASSERT_OK(ead_model_save(model, MODEL, NULL));
    ead_model_free(model);
    ASSERT_OK(ead_model_open(MODEL, &model));
    ck_assert(model->pixel_threshold == 7.25f && model->map_level == -0.5f && model->threshold == 0.25f);
    ead_model_free(model);
}
END_TEST

/* The rules apply to scores and peaks apart. */
START_TEST(both_thresholds_by_one_rule) {
    static float given[] = {3, 1, 5, 2, 4}, peaks[] = {30, 10, 50, 20, 40}, means[] = {1, 2, 3, 4, 6};
    const EadImageScores images = {5, given, peaks, means};
    EadThresholds both;
    EadModel model = ead_model_new("patchcore", 64, 64);
    ck_assert(isnan(model.pixel_threshold) && isnan(model.map_level));
    ASSERT_OK(ead_thresholds_choose(&images, (EadThresholdRule){EAD_THRESHOLD_FALSE_ALARM_RATE, 0.4}, &model,
                                    &both));
    ck_assert(both.image.value > 3 && both.image.value < 3.0001f && both.image.alarms == 2);
    ck_assert(both.pixel.value > 30 && both.pixel.value < 30.001f && both.pixel.alarms == 2);
    ck_assert(model.threshold == both.image.value && model.pixel_threshold == both.pixel.value);
    ck_assert_float_eq_tol(model.map_level, 3.2f, 1e-6f);
}
END_TEST

/* The threshold that eval reports with these options; NAN for none. */
static double threshold_of_eval(const char *options) {
    char arguments[512];
    snprintf(arguments, sizeof arguments, "eval -q --model " MODEL " -o " FOLDER "eval %s", options);
    ck_assert_int_eq(run_program(FOLDER, arguments), 0);
    json_t *root = json_load_file(FOLDER "stdout", 0, NULL);
    ck_assert_ptr_nonnull(root);
    double threshold = json_object_get(root, "threshold")
                           ? json_number_value(json_object_get(root, "threshold"))
                           : (double)NAN;
    bool with = !isnan(threshold);
    ck_assert(with == (json_object_get(root, "image_fpr") != NULL));
    json_decref(root);
    return threshold;
}

/* What the last eval says about its threshold: of the ten scores so many reach it, and scipy's interval. */
static void assert_false_alarms(int alarms, double low, double high) {
    json_t *root = json_load_file(FOLDER "eval/metrics.json", 0, NULL);
    ck_assert_int_eq(json_integer_value(json_object_get(root, "validation_images")), 10);
    ck_assert_double_eq_tol(json_number_value(json_object_get(root, "validation_fpr")), alarms / 10.0, 1e-12);
    ck_assert_double_eq_tol(json_number_value(json_object_get(root, "validation_fpr_low")), low, 1e-10);
    ck_assert_double_eq_tol(json_number_value(json_object_get(root, "validation_fpr_high")), high, 1e-10);
    json_decref(root);
}

static void assert_no_false_alarm_rate(void) {
    json_t *root = json_load_file(FOLDER "eval/metrics.json", 0, NULL);
    ck_assert_ptr_nonnull(root);
    ck_assert_ptr_null(json_object_get(root, "validation_images"));
    ck_assert_ptr_null(json_object_get(root, "validation_fpr"));
    json_decref(root);
}

START_TEST(eval_changes_the_threshold_without_training) {
    SKIP_UNLESS(getenv("PROGRAM"), "PROGRAM is not set");
    write_run(10, 0);
    ck_assert_double_eq(threshold_of_eval(""), 0.25);
    assert_false_alarms(10, 0.6915028921812371, 1);
    ck_assert_double_eq_tol(threshold_of_eval("--threshold 0.7"), 0.7, 1e-6);
    assert_false_alarms(9, 0.5549838829718047, 0.9974714214555375);
    ck_assert_double_eq_tol(threshold_of_eval("--set threshold.method=quantile --set threshold.quantile=0.9"),
                            4.55, 1e-6);
    assert_false_alarms(1, 0.0025285785444625728, 0.44501611702819543);
    assert_file_holds(FOLDER "eval/report.html", "\"validation_images\": 10,");
    assert_file_holds(FOLDER "eval/report.html", "\"validation_fpr\": 0.1,");
    assert_file_holds(FOLDER "eval/report.html", "\"validation_fpr_low\": 0.0025285785");
    assert_file_holds(FOLDER "eval/report.html", "\"has_threshold\": true,");
    assert_file_holds(FOLDER "stderr",
                      "threshold 4.55: 1 of 10 validation images reach it; false-alarm rate");
    ck_assert_double_eq_tol(threshold_of_eval("--set threshold.false_alarm_rate=0.2"), 4, 1e-6);
    ck_assert(isnan(threshold_of_eval("--set threshold.method=none")));
    assert_no_false_alarm_rate();
    write_run(0, 0);
    ck_assert_double_eq(threshold_of_eval(""), 0.25);
    assert_no_false_alarm_rate();
    ck_assert_int_eq(run_program(FOLDER, "eval -q --model " MODEL " --set threshold.method=quantile"), 1);
    assert_file_holds(FOLDER "stderr", "model.safetensors: holds no validation_scores");
}
END_TEST

START_TEST(other_maps_have_no_threshold) {
    SKIP_UNLESS(getenv("PROGRAM"), "PROGRAM is not set");
    write_run(10, 0);
    ck_assert(isnan(threshold_of_eval("--use st")));
    assert_file_holds(FOLDER "stderr", "the model's threshold is for other maps and is not used");
    ck_assert(isnan(threshold_of_eval("--set maps.use=ae")));
    ck_assert_double_eq(threshold_of_eval("--use ae --threshold 3"), 3);
    assert_no_false_alarm_rate(); /* the scores are of other maps */
    ck_assert_int_eq(run_program(FOLDER, "predict -q --use st --model " MODEL " " FOLDER "data/good/a.png"),
                     0);
    char *line = read_text(FOLDER "stdout");
    ck_assert(strstr(line, "\"score\"") && !strstr(line, "anomalous"));
    free(line);
    ck_assert_int_eq(run_program(FOLDER, "predict -q --use st --threshold -1e9 --model " MODEL " " FOLDER
                                         "data/good/a.png"),
                     0);
    assert_file_holds(FOLDER "stdout", "\"anomalous\":true");
    ck_assert_int_eq(run_program(FOLDER, "predict -q --use neither --model " MODEL " a.png"), 2);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("threshold");
    TCase *tests = tcase_create("threshold");
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, interval_agrees_with_scipy);
    tcase_add_test(tests, rules_by_hand);
    tcase_add_test(tests, the_bound_of_few_images_agrees_with_scipy);
    tcase_add_test(tests, broken_scores_are_refused);
    tcase_add_test(tests, description);
    tcase_add_test(tests, the_map_of_both_is_the_mean);
    tcase_add_test(tests, the_model_file_keeps_the_choice);
    tcase_add_test(tests, pixel_threshold_of_options_and_file);
    tcase_add_test(tests, both_thresholds_by_one_rule);
    tcase_add_test(tests, eval_changes_the_threshold_without_training);
    tcase_add_test(tests, other_maps_have_no_threshold);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
