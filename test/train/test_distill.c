/* Distillation as a library call: repeatability, resuming, the cache, the schedule, what it leaves behind,
 * and what it refuses. A drawn ResNet-18, a dozen pictures at 128x128. */
#define SCRATCH "build/scratch/test_distill/"
#include "test/ranks/distill_scene.h"

#include <jansson.h>

#define WHOLE SCRATCH "whole/"

enum { HELD_OUT = 1, STEPS = 4 };

static EadStatus try_run(const char *run, const char *settings, bool resume) {
    return try_distill(run, settings, resume, NULL);
}

static void distill(const char *run, const char *settings, bool resume) {
    EadStatus status = try_run(run, settings, resume);
    ck_assert_msg(status == EAD_OK, "%s: %s", settings, ead_error_message());
}

static void set_up(void) {
    ck_assert_int_eq(system("rm -rf " SCRATCH), 0);
    make_data();
    omp_set_num_threads(2);
    distill(WHOLE, CACHE "distill.steps=4", false);
}

static void same_results(const char *a, const char *b) {
    static const char *const names[] = {"losses.csv", "metrics.json", "teacher.safetensors",
                                        "checkpoint.safetensors"};
    for (int i = 0; i < 4; i++) {
        char x[256], y[256];
        snprintf(x, sizeof x, "%s%s", a, names[i]);
        snprintf(y, sizeof y, "%s%s", b, names[i]);
        ck_assert_msg(i < 2 ? same_files(x, y) : same_tensors(x, y), "%s and %s differ", x, y);
    }
}

/* ---- what a run leaves ---- */

START_TEST(the_teacher_fits_a_model) {
    EadEfficientad *model;
    EadSafetensors *file;
    ASSERT_OK(ead_efficientad_new(&(EadEfficientadSpec){.height = SIDE, .width = SIDE}, &model));
    ASSERT_OK(ead_efficientad_read_teacher(model, WHOLE "teacher.safetensors"));
    ead_efficientad_free(model);
    ASSERT_OK(ead_safetensors_open(WHOLE "teacher.safetensors", &file));
    ck_assert_int_eq(ead_safetensors_count(file), 8); /* four convolutions */
    ck_assert_int_eq(ead_safetensors_find(file, "teacher.conv4.weight")->type, EAD_FILE_F16);
    ck_assert_int_eq(ead_safetensors_find(file, "teacher.conv4.bias")->type, EAD_FILE_F32);
    ck_assert_str_eq(ead_safetensors_metadata(file, "padding"), "true");
    ck_assert_str_eq(ead_safetensors_metadata(file, "backbone"), "resnet18");
    ck_assert_str_eq(ead_safetensors_metadata(file, "images"), "11");
    ead_safetensors_close(file);
}
END_TEST

/* Features are normalised and the teacher starts near zero, so the loss starts near 1, and falls. */
START_TEST(the_loss_falls) {
    enum { MORE = 12 };
    DistillRow rows[MORE];
    distill(SCRATCH "more/", CACHE "distill.steps=12", false);
    read_rows(SCRATCH "more/", MORE, rows);
    double first = (rows[0].loss + rows[1].loss + rows[2].loss) / 3;
    double last = (rows[MORE - 1].loss + rows[MORE - 2].loss + rows[MORE - 3].loss) / 3;
    printf("  loss %.3f, after %d steps %.3f\n", first, MORE, last);
    ck_assert(first > 0.7 && first < 1.4);
    ck_assert(last < 0.95 * first);
}
END_TEST

START_TEST(metrics_agree_with_each_other) {
    json_t *root = json_load_file(WHOLE "metrics.json", 0, NULL), *explained, *channels, *value;
    ck_assert_ptr_nonnull(root);
    explained = json_object_get(root, "explained_variance");
    channels = json_object_get(explained, "channels");
    ck_assert_int_eq((int)json_array_size(channels), EAD_FEATURES);
    ck_assert_int_eq((int)json_integer_value(json_object_get(root, "held_out_images")), HELD_OUT);
    ck_assert(json_real_value(json_object_get(root, "held_out_loss")) > 0);
    double sum = 0, least = 1;
    size_t index;
    json_array_foreach(channels, index, value) {
        sum += json_number_value(value);
        least = fmin(least, json_number_value(value));
    }
    ck_assert_double_eq_tol(json_number_value(json_object_get(explained, "mean")), sum / EAD_FEATURES, 1e-5);
    ck_assert_double_eq_tol(json_number_value(json_object_get(explained, "least")), least,
                            1e-5 * fabs(least));
    json_decref(root);
}
END_TEST

/* A place of their own for the images that judge: all of it held out, all others trained on. */
START_TEST(held_out_images_have_a_place_of_their_own) {
    EadSafetensors *file;
    distill(SCRATCH "apart/",
            "distill.steps=1 distill.images=" SCRATCH "pictures/0 distill.validation=" SCRATCH "pictures/1",
            false);
    json_t *root = json_load_file(SCRATCH "apart/metrics.json", 0, NULL);
    ck_assert_int_eq((int)json_integer_value(json_object_get(root, "held_out_images")), PICTURES / 2);
    json_decref(root);
    ASSERT_OK(ead_safetensors_open(SCRATCH "apart/teacher.safetensors", &file));
    ck_assert_str_eq(ead_safetensors_metadata(file, "images"), "6");
    ead_safetensors_close(file);
}
END_TEST

/* ---- judges ---- */

/* Without spaces, which part settings. */
#define JUDGES                                                                                               \
    " patchcore.coreset_ratio=0.05 "                                                                         \
    "distill.judges=[{\"dataset.type\":folder,\"dataset.train_good\":" SCRATCH "pictures/0,"                 \
    "\"dataset.test_good\":" SCRATCH "pictures/1,\"dataset.defects\":" SCRATCH "judged}]"

static double number_in(const char *path, const char *key) {
    json_t *root = json_load_file(path, 0, NULL);
    ck_assert_msg(root != NULL, "%s", path);
    const json_t *judges = json_object_get(root, "judges");
    double value = json_number_value(json_object_get(judges ? json_array_get(judges, 0) : root, key));
    json_decref(root);
    return value;
}

/* Added by a run that goes on; both networks stand in metrics.json as their own runs found them, and the network that is
 * the same is not run again. */
START_TEST(judges_tell_the_teacher_from_its_backbone) {
    EadImage image;
    make_folders(SCRATCH "judged/x.png");
    ASSERT_OK(ead_drawn_scene(4, 1, SIDE, SIDE, &image));
    ASSERT_OK(ead_png_write(SCRATCH "judged/x.png", &image));
    ead_image_free(&image);
    distill(SCRATCH "judges/", CACHE "distill.steps=1", false);
    ck_assert(!exists(SCRATCH "judges/judges"));
    distill(SCRATCH "judges/", CACHE "distill.steps=1" JUDGES, true);
    static const char *const runs[][2] = {{"1_teacher_step_1", ""}, {"1_backbone", "backbone_"}};
    for (int i = 0; i < 2; i++) {
        char path[256], key[64];
        snprintf(path, sizeof path, SCRATCH "judges/judges/%s/metrics.json", runs[i][0]);
        snprintf(key, sizeof key, "%simage_auroc", runs[i][1]);
        ck_assert_double_eq_tol(number_in(SCRATCH "judges/metrics.json", key), number_in(path, "image_auroc"),
                                1e-8);
    }
}
END_TEST

/* ---- the same bits ---- */

START_TEST(same_seed_same_bits_on_one_thread) {
    omp_set_num_threads(1);
    distill(SCRATCH "again/", CACHE "distill.steps=4 train.threads=1", false);
    omp_set_num_threads(2);
    same_results(WHOLE, SCRATCH "again/");
}
END_TEST

START_TEST(resumed_equals_uninterrupted) {
    distill(SCRATCH "resumed/", CACHE "distill.steps=1", false);
    distill(SCRATCH "resumed/", CACHE "distill.steps=3", true);
    distill(SCRATCH "resumed/", CACHE "distill.steps=4 train.checkpoint_every=1", true);
    same_results(WHOLE, SCRATCH "resumed/");
}
END_TEST

START_TEST(a_cache_made_in_two_goes_gives_the_same) {
    ck_assert_int_eq(system("f=$(ls " SCRATCH "cache/*.cache) && head -c 3000000 $f > $f.partial && rm $f"),
                     0);
    distill(SCRATCH "cut/", CACHE "distill.steps=4", false);
    same_results(WHOLE, SCRATCH "cut/");
}
END_TEST

/* Without gray the draws are the same with and without cache, and halves are all that differs. */
START_TEST(with_cache_as_without) {
    DistillRow cached[2], direct[2];
    distill(SCRATCH "cached/", CACHE "distill.steps=2 distill.gray_probability=0", false);
    distill(SCRATCH "direct/", "distill.steps=2 distill.gray_probability=0", false);
    read_rows(SCRATCH "cached/", 2, cached);
    read_rows(SCRATCH "direct/", 2, direct);
    for (int i = 0; i < 2; i++)
        ck_assert_double_eq_tol(cached[i].loss, direct[i].loss, 1e-3 * direct[i].loss);
}
END_TEST

START_TEST(the_rate_drops_after_the_share_of_steps) {
    DistillRow rows[STEPS];
    read_rows(WHOLE, STEPS, rows);
    for (int i = 0; i < STEPS; i++) ck_assert_double_eq_tol(rows[i].rate, 1e-3, 1e-9); /* never, by default */
    distill(SCRATCH "drop/", CACHE "distill.steps=4 distill.lr_drop_at=0.5 distill.lr_drop_factor=0.25",
            false);
    read_rows(SCRATCH "drop/", STEPS, rows);
    for (int i = 0; i < STEPS; i++) ck_assert_double_eq_tol(rows[i].rate, i < 2 ? 1e-3 : 2.5e-4, 1e-9);
}
END_TEST

START_TEST(medium_too) {
    EadEfficientad *model;
    distill(SCRATCH "medium/", CACHE "distill.steps=1 model.size=medium", false);
    ASSERT_OK(ead_efficientad_new(
        &(EadEfficientadSpec){.size = EAD_PDN_MEDIUM, .height = SIDE, .width = SIDE}, &model));
    ASSERT_OK(ead_efficientad_read_teacher(model, SCRATCH "medium/teacher.safetensors"));
    ead_efficientad_free(model);
}
END_TEST

/* A step of next to no length leaves its weights as they are, but for the sign of a zero. */
START_TEST(goes_on_from_a_teacher) {
    distill(SCRATCH "from/", CACHE "distill.steps=1 distill.lr=1e-15 model.init=" WHOLE "teacher.safetensors",
            false);
    double loss = number_in(WHOLE "metrics.json", "held_out_loss");
    ck_assert_double_eq(number_in(SCRATCH "from/metrics.json", "held_out_loss"), loss);
}
END_TEST

/* ---- refusals ---- */

static void refuses(const char *run, const char *settings, bool resume, const char *words) {
    EadStatus status = try_run(run, settings, resume);
    ck_assert_int_ne(status, EAD_OK);
    ck_assert_msg(strstr(ead_error_message(), words), "%s: %s", settings, ead_error_message());
}

START_TEST(refusals_say_what_to_do) {
    refuses(WHOLE, CACHE "distill.steps=4", false, "continue it with --resume");
    refuses(WHOLE, CACHE "distill.steps=4 distill.lr=1e-4", true, "was made with distill.lr: 0.001");
    refuses(WHOLE, CACHE "distill.steps=2", true, "was made after step 4, but distill.steps makes 2 steps");
    refuses(SCRATCH "new/", "distill.images=" SCRATCH "pictures/none", false, "distill.images: ");
    refuses(SCRATCH "new/", "distill.backbone=" WHOLE "teacher.safetensors", false,
            "is a teacher, not a backbone");
    refuses(SCRATCH "new/", "model.init=" BACKBONE, false, "not a teacher");
    refuses(SCRATCH "new/", "model.size=medium model.init=" WHOLE "teacher.safetensors", false,
            "holds a small network, the configuration asks for model.size medium");
    refuses(WHOLE, CACHE "distill.steps=4 model.init=" WHOLE "teacher.safetensors", true, "model.init");
    refuses(SCRATCH "new/", "distill.validation=" SCRATCH "pictures/none", false, "distill.validation: ");
    refuses(SCRATCH "new/", "distill.validation=" SCRATCH "pictures/1", false, "lie in one another");
    shell_ok("mkdir -p " SCRATCH "linked && ln -sf $PWD/" SCRATCH "pictures/0/* " SCRATCH "linked/");
    refuses(SCRATCH "new/", "distill.images=" SCRATCH "pictures/0 distill.validation=" SCRATCH "linked",
            false, "is both one of distill.images and an image for validation");
    EadConfig judged;
    configure_run(&judged, DISTILL_CONFIG, SCRATCH "new/",
                  "distill.judges=[{\"dataset.path\":none,\"dataset.category\":x}]");
    ck_assert_int_ne(ead_fit_find("distill")->check(&judged, EAD_CHECK_FILES), EAD_OK);
    ck_assert_ptr_nonnull(strstr(ead_error_message(), "judge 1 of distill.judges: "));
    ead_config_free(&judged);
    configure_run(&judged, DISTILL_CONFIG, SCRATCH "new/",
                  "distill.judges=[{\"dataset.path\":x},{\"dataset.path\":y},{\"dataset.path\":x}]");
    ck_assert_int_ne(ead_fit_find("distill")->check(&judged, EAD_CHECK_FILES), EAD_OK);
    ck_assert_ptr_nonnull(strstr(ead_error_message(), "distill.judges: judges 1 and 3 are the same"));
    ead_config_free(&judged);
    /* What is wrong with an entry hides nothing of the others. */
    configure_run(&judged, DISTILL_CONFIG, SCRATCH "new/", "");
    ck_assert_int_ne(
        ead_config_set(
            &judged,
            "distill.judges=[{dataset.path: none, dataset.category: x}, {patchcore.coreset_ratio: 7}, 3, "
            "{dataset.path: " SCRATCH "none, dataset.category: x}]",
            "test"),
        EAD_OK);
    ck_assert_int_ne(ead_fit_find("distill")->check(&judged, EAD_CHECK_FILES), EAD_OK);
    const char *const wrong[] = {"an entry is a mapping of keys",
                                 "patchcore.coreset_ratio: 7 is out of the range",
                                 "judge 1 of distill.judges: dataset.path: none: ",
                                 "judge 4 of distill.judges: dataset.path: " SCRATCH "none: "};
    ck_assert_int_eq(judged.problems.lines.count, COUNT(wrong));
    for (int i = 0; i < COUNT(wrong); i++) assert_contains(judged.problems.lines.items[i], wrong[i]);
    ead_config_free(&judged);
    /* A judge looks through teacher and backbone alike. */
    configure_run(&judged, DISTILL_CONFIG, SCRATCH "new/",
                  "distill.judges=[{\"patchcore.layers\":layer2,\"dataset.path\":none,"
                  "\"dataset.category\":x}]");
    ck_assert_int_ne(ead_fit_find("distill")->check(&judged, EAD_CHECK_FILES), EAD_OK);
    ck_assert_int_eq(judged.problems.lines.count, 2);
    assert_contains(judged.problems.lines.items[0],
                    "judge 1 of distill.judges: patchcore.layers: 'layer2' names features that pdn_small");
    assert_contains(judged.problems.lines.items[1], "judge 1 of distill.judges: dataset.path: none: ");
    ead_config_free(&judged);
    ck_assert(!exists(SCRATCH "new"));
    EadConfig config;
    ASSERT_OK(ead_config_defaults(&config));
    ck_assert_int_eq(ead_fit_find("distill")->check(&config, EAD_CHECK_TRAINING), EAD_BAD_ARGUMENT);
    ck_assert_ptr_nonnull(strstr(ead_error_message(), "distill.backbone is not set"));
    ead_config_free(&config);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("distill");
    TCase *tests = tcase_create("distill");
    tcase_set_timeout(tests, 0);
    tcase_add_unchecked_fixture(tests, set_up, NULL);
    tcase_add_test(tests, the_teacher_fits_a_model);
    tcase_add_test(tests, the_loss_falls);
    tcase_add_test(tests, metrics_agree_with_each_other);
    tcase_add_test(tests, held_out_images_have_a_place_of_their_own);
    tcase_add_test(tests, judges_tell_the_teacher_from_its_backbone);
    tcase_add_test(tests, same_seed_same_bits_on_one_thread);
    tcase_add_test(tests, resumed_equals_uninterrupted);
    tcase_add_test(tests, a_cache_made_in_two_goes_gives_the_same);
    tcase_add_test(tests, with_cache_as_without);
    tcase_add_test(tests, the_rate_drops_after_the_share_of_steps);
    tcase_add_test(tests, medium_too);
    tcase_add_test(tests, goes_on_from_a_teacher);
    tcase_add_test(tests, refusals_say_what_to_do);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
