/* Trainings in tiles: what they repeat, what the model file has, whatever sizes images have; what is refused. */
#define SCRATCH "build/scratch/test_trainer_tiles/"
#include "test/support/trainer_runs.h"

#include "models/efficientad/model.h"
#include "train/evaluate/scoring.h"

#define TILES "tiles.size=64 dataset.type=folder dataset.path=" SCRATCH "large "

enum { LARGE = 5 };

/* Good photographs of several sizes, one smaller than a tile; some of one size; noise in gray. */
static void set_up(void) {
    static const int sizes[LARGE][2] = {{128, 96}, {97, 131}, {128, 96}, {50, 40}, {128, 96}};
    EadImage image;
    remove_scratch();
    make_data();
    for (int i = 0; i < LARGE; i++) {
        ASSERT_OK(ead_synth_draw_good((uint32_t)i, sizes[i][1], sizes[i][0], &image));
        save_picture(SCRATCH "large/%03d.png", i, &image);
        ASSERT_OK(ead_synth_draw_good((uint32_t)i, 96, 128, &image));
        save_picture(SCRATCH "even/%03d.png", i, &image);
        write_noise_png(SCRATCH "gray/000.png", 100, 80, 1, 1);
        write_noise_png(SCRATCH "gray/001.png", 90, 120, 1, 2);
    }
    omp_set_num_threads(2);
}

START_TEST(runs_repeat_and_resume) {
    train(SCRATCH "once/", TILES "train.steps=4");
    train(SCRATCH "again/", TILES "train.steps=4");
    ck_assert(same_runs(SCRATCH "once/", SCRATCH "again/"));
    train(SCRATCH "other/", TILES "train.steps=4 train.seed=43");
    ck_assert(!same_runs(SCRATCH "once/", SCRATCH "other/"));
    train(SCRATCH "half/", TILES "train.steps=2");
    resume(SCRATCH "half/", TILES "train.steps=4");
    ck_assert(same_runs(SCRATCH "once/", SCRATCH "half/"));
    ASSERT_FAILS(try_run(SCRATCH "half/", TILES "train.steps=6 tiles.scale=1.5", true), EAD_BAD_ARGUMENT,
                 "tiles.scale");
}
END_TEST

static const char *const variants[] = {"tiles.scale=1.5 tiles.overlap=0.5",
                                       "tiles.whole_image=true maps.normalization=gaussian",
                                       "tiles.whole_image=true",
                                       "tiles.whole_image=true maps.normalization=none",
                                       STUDENT_ONLY,
                                       STUDENT_ONLY "tiles.whole_image=true maps.select=st",
                                       "maps.select=ae score.method=area score.cells=20",
                                       "roi.box=4,3,40,36",
                                       "dataset.path=" SCRATCH "gray",
                                       "train.until_converged=true train.validate_every=1 train.steps=2",
                                       "model.size=medium"};

/* The threshold is for what the model in the file says of the validation image. */
START_TEST(variants_run) {
    char settings[512], run[96], path[128];
    EadSafetensors *file;
    EadModel *model;
    EadImageScores scores;
    EadStringList images = {0};
    EadDataset dataset;
    EadConfig config;
    snprintf(run, sizeof run, SCRATCH "variant_%d/", _i);
    snprintf(path, sizeof path, "%smodel.safetensors", run);
    snprintf(settings, sizeof settings,
             TILES "train.steps=1 threshold.method=quantile threshold.quantile=1 %s%s", variants[_i],
             strstr(variants[_i], "medium") ? " model.teacher=models/weights/teacher_medium.safetensors"
                                            : "");
    train(run, settings);
    ASSERT_OK(ead_model_open_file(path, &file, &model));
    ck_assert_int_eq(model->tiles.size, 64);
    ck_assert_int_eq(model->tiles.whole_image, strstr(variants[_i], "whole_image") != NULL);
    configure(&config, run, settings);
    ASSERT_OK(ead_config_list_dataset(&config, &dataset));
    ASSERT_OK(ead_strings_add(&images, dataset.validation.items[0]));
    ASSERT_OK(ead_score_images(model, &(EadPlanOptions){.backend = NULL}, &images, &(EadImageRules){0}, true,
                               &scores));
    ck_assert_float_eq(scores.scores[0], model->threshold);
    ck_assert_float_eq(scores.peaks[0], model->pixel_threshold);
    ead_image_scores_free(&scores);
    ead_strings_free(&images);
    ead_dataset_free(&dataset);
    ead_config_free(&config);
    ead_model_free(model);
    ead_safetensors_close(file);
}
END_TEST

/* Maps of the validation image are brought to a scale by themselves: of their values, half are below the median. */
START_TEST(maps_are_normalised_by_blended_ones) {
    EadModel *model;
    EadDetector *detector;
    EadScored scored;
    EadConfig config;
    EadDataset dataset;
    const char *settings =
        TILES "dataset.path=" SCRATCH "even train.steps=1 maps.select=st maps.q_start=0.5 tiles.overlap=0.5";
    train(SCRATCH "scale/", settings);
    ASSERT_OK(ead_model_open(SCRATCH "scale/model.safetensors", &model));
    configure(&config, SCRATCH "scale/", settings);
    ASSERT_OK(ead_config_list_dataset(&config, &dataset));
    ck_assert_int_eq(dataset.validation.count, 1);
    ASSERT_OK(ead_detector_new(model, NULL, 1, &detector));
    ASSERT_OK(ead_score_file(detector, dataset.validation.items[0], &(EadImageRules){0}, &scored));
    int below = 0, seen = 0;
    for (int y = 20; y < scored.image.height - 20; y++) /* without the border that is not seen */
        for (int x = 20; x < scored.image.width - 20; x++, seen++)
            below += scored.map[y * scored.image.width + x] < 0;
    ck_assert_msg(abs(2 * below - seen) < seen / 5, "%d of %d are below the median", below, seen);
    ead_scored_free(&scored);
    ead_detector_close(detector);
    ead_dataset_free(&dataset);
    ead_config_free(&config);
    ead_model_free(model);
}
END_TEST

START_TEST(what_cannot_be_is_refused) {
    static const char *const wrong[][2] = {
        {"tiles.size=128", "tiles.size is 128 and model.image_size 64x64"},
        {"tiles.size=64 model.image_size=64x128", "set both to one number"},
        {"tiles.size=64 model.padding=true", "tiles.size needs model.padding=false"},
        {"tiles.size=64 roi.mask=" SCRATCH "mask.png", "tiles.size and roi.mask cannot be had together"},
        {"tiles.size=64 train.teacher_cache=true", "no two tiles are the same"},
        {"tiles.size=64 model.method=patchcore",
         "tiles.size is for the method efficientad, not for patchcore"}};
    write_noise_png(SCRATCH "mask.png", 128, 96, 1, 1);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        EadConfig config;
        static const char base[] =
            "dataset: {path: " SCRATCH "data, category: gasket}\nmodel.image_size: 64\n"
            "penalty.path: drawn\n";
        configure_run(&config, base, SCRATCH "wrong/", wrong[i][0]);
        ck_assert_int_ne(ead_fit_check(&config), EAD_OK);
        bool told = false;
        for (int k = 0; k < config.problems.lines.count; k++)
            told |= strstr(config.problems.lines.items[k], wrong[i][1]) != NULL;
        ck_assert_msg(told, "%s: %s", wrong[i][0], ead_error_message());
        ead_config_free(&config);
    }
}
END_TEST

static Suite *make_suite(void) {
    Suite *suite = suite_create("trainer tiles");
    TCase *tests = tcase_create("tiles");
    tcase_set_timeout(tests, 0);
    tcase_add_unchecked_fixture(tests, set_up, remove_scratch);
    tcase_add_test(tests, runs_repeat_and_resume);
    tcase_add_loop_test(tests, variants_run, 0, (int)(sizeof variants / sizeof *variants));
    tcase_add_test(tests, maps_are_normalised_by_blended_ones);
    tcase_add_test(tests, what_cannot_be_is_refused);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void) {
    return run_trainer_suite(make_suite(), "build/scratch/test_trainer_tiles.log");
}
