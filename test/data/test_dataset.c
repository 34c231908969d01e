/* File lists, the data set types folder and mvtec_ad, the split, and what can be wrong with a data set on
 * disk. */
#include "core/base/file_bytes.h"
#include "data/dataset/dataset.h"

#include "core/base/paths.h"
#include "test/support/scratch.h"

#include <unistd.h>

#define SCRATCH "build/scratch/dataset/"

/* Begins with an empty folder. */
static void fresh(const char *name) {
    char command[256];
    snprintf(command, sizeof command, "rm -rf " SCRATCH "%s && mkdir -p " SCRATCH "%s", name, name);
    ck_assert_int_eq(system(command), 0);
}

/* Files are not opened while a data set is listed, so a byte will do. */
static void touch(const char *path) {
    write_bytes(path, "x", 1);
}

START_TEST(walk_sorts_and_skips) {
    static const char *const expected[] = {"B/1.PNG", "a.jpg", "a/2.jpeg", "a/b/3.png", "a/b/link.png"};
    EadStringList list = {0};
    fresh("walk");
    for (int i = 0; i < 4; i++) {
        char path[256];
        snprintf(path, sizeof path, SCRATCH "walk/%s", expected[i]);
        touch(path);
    }
    touch(SCRATCH "walk/.hidden.png");
    touch(SCRATCH "walk/.git/4.png");
    touch(SCRATCH "walk/a/notes.txt");
    ck_assert_int_eq(symlink("3.png", SCRATCH "walk/a/b/link.png"), 0);
    ck_assert_int_eq(symlink("../..", SCRATCH "walk/a/b/up"), 0);
    ck_assert_int_eq(symlink(".", SCRATCH "walk/a/here"), 0);
    ck_assert_int_eq(symlink("nowhere", SCRATCH "walk/a/dead"), 0);
    ASSERT_OK(ead_list_images(&list, SCRATCH "walk/", NULL));
    ck_assert_int_eq(list.count, 5);
    for (int i = 0; i < 5; i++) {
        ck_assert_str_eq(list.items[i] + strlen(SCRATCH "walk/"), expected[i]);
        ck_assert_int_eq(ead_strings_find_sorted(&list, list.items[i]), i);
    }
    ck_assert_int_eq(ead_strings_find_sorted(&list, "other"), -1);
    ead_strings_free(&list);
}
END_TEST

START_TEST(walk_errors) {
    EadStringList list = {0};
    char deep[512] = SCRATCH "deep/";
    fresh("dead");
    ASSERT_FAILS(ead_list_images(&list, SCRATCH "no", NULL), EAD_IO, "dataset/no: cannot read: No such");
    ck_assert_int_eq(symlink("nowhere", SCRATCH "dead/link.png"), 0);
    ASSERT_FAILS(ead_list_images(&list, SCRATCH "dead", NULL), EAD_IO, "dead/link.png: cannot read");
    for (int i = 0; i < 70; i++) strcat(deep, "d/");
    make_folders(deep);
    ASSERT_FAILS(ead_list_images(&list, SCRATCH "deep", NULL), EAD_BAD_FILE, "more than 64 folders deep");
    ck_assert_int_eq(list.count, 0);
    ead_strings_free(&list);
}
END_TEST

/* A small MVTec AD category: 20 to train on, 2 good and 3 + 2 defects to test. */
static void make_mvtec(const char *name) {
    static const char *const tests[] = {"test/good/000.png",
                                        "test/good/001.png",
                                        "test/scratch/000.png",
                                        "test/scratch/001.png",
                                        "test/scratch/002.png",
                                        "test/blob/000.png",
                                        "test/blob/001.png",
                                        "ground_truth/scratch/000_mask.png",
                                        "ground_truth/scratch/001_mask.png",
                                        "ground_truth/scratch/002_mask.png",
                                        "ground_truth/blob/000_mask.png",
                                        "ground_truth/blob/001_mask.png"};
    char path[256];
    fresh(name);
    for (int i = 0; i < 20; i++) {
        snprintf(path, sizeof path, SCRATCH "%s/nut/train/good/%03d.png", name, i);
        touch(path);
    }
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) {
        snprintf(path, sizeof path, SCRATCH "%s/nut/%s", name, tests[i]);
        touch(path);
    }
}

static EadDatasetSpec mvtec(const char *path) {
    return (EadDatasetSpec){
        .type = "mvtec_ad", .path = path, .category = "nut", .validation_fraction = 0.1, .seed = 1};
}

START_TEST(mvtec_ad) {
    EadDataset dataset;
    make_mvtec("mvtec");
    EadDatasetSpec spec = mvtec(SCRATCH "mvtec");
    ASSERT_OK(ead_dataset_open(&spec, &dataset));
    ck_assert(dataset.train.count == 18 && dataset.validation.count == 2);
    ck_assert(dataset.test_count == 7 && dataset.has_masks);
    const EadTestSample *first = &dataset.test[0], *good = &dataset.test[2], *last = &dataset.test[6];
    ck_assert_str_eq(first->path, SCRATCH "mvtec/nut/test/blob/000.png");
    ck_assert_str_eq(first->mask_path, SCRATCH "mvtec/nut/ground_truth/blob/000_mask.png");
    ck_assert(strcmp(first->defect, "blob") == 0 && first->anomalous);
    ck_assert(strcmp(good->defect, "good") == 0 && !good->anomalous && !good->mask_path);
    ck_assert(strcmp(last->defect, "scratch") == 0 && strstr(last->mask_path, "/scratch/002_mask.png"));
    ead_dataset_free(&dataset);
}
END_TEST

/* Held back images: the right number, sorted, disjoint, the same for the same seed, another set for another.
 */
START_TEST(split) {
    EadDataset a, b;
    make_mvtec("split");
    EadDatasetSpec spec = mvtec(SCRATCH "split");
    int differ = 0;
    for (uint64_t seed = 0; seed < 10; seed++) {
        spec.seed = seed;
        spec.validation_fraction = 0.25;
        ASSERT_OK(ead_dataset_open(&spec, &a));
        ASSERT_OK(ead_dataset_open(&spec, &b));
        ck_assert(a.train.count == 15 && a.validation.count == 5);
        for (int i = 0; i < 5; i++) {
            ck_assert_str_eq(a.validation.items[i], b.validation.items[i]);
            ck_assert_int_eq(ead_strings_find_sorted(&a.train, a.validation.items[i]), -1);
            ck_assert(i == 0 || strcmp(a.validation.items[i - 1], a.validation.items[i]) < 0);
        }
        for (int i = 1; i < 15; i++) ck_assert(strcmp(a.train.items[i - 1], a.train.items[i]) < 0);
        ead_dataset_free(&b);
        spec.seed = seed + 100;
        ASSERT_OK(ead_dataset_open(&spec, &b));
        for (int i = 0; i < 5; i++) differ += strcmp(a.validation.items[i], b.validation.items[i]) != 0;
        ead_dataset_free(&a);
        ead_dataset_free(&b);
    }
    ck_assert_int_gt(differ, 10);
}
END_TEST

START_TEST(split_bounds) {
    static const struct {
        double fraction;
        int validation;
    } cases[] = {{0.001, 1}, {0.12, 2}, {0.13, 3}, {0.999, 19}};
    EadDataset dataset;
    make_mvtec("bounds");
    EadDatasetSpec spec = mvtec(SCRATCH "bounds");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        spec.validation_fraction = cases[i].fraction;
        ASSERT_OK(ead_dataset_open(&spec, &dataset));
        ck_assert_int_eq(dataset.validation.count, cases[i].validation);
        ead_dataset_free(&dataset);
    }
    double bad[] = {0.0, 1.0, -0.1, 0.0 / 0.0};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        spec.validation_fraction = bad[i];
        ASSERT_FAILS(ead_dataset_open(&spec, &dataset), EAD_BAD_ARGUMENT, "between 0 and 1");
    }
}
END_TEST

START_TEST(mvtec_ad_errors) {
    EadDataset dataset;
    make_mvtec("bad");
    EadDatasetSpec spec = mvtec(SCRATCH "bad");
    make_folders(SCRATCH "bad/bolt/");
    spec.category = "screw";
    ASSERT_FAILS(
        ead_dataset_open(&spec, &dataset), EAD_BAD_ARGUMENT,
        "bad: has no category \"screw\", though the full data set has it; dataset.category can be bolt, nut");
    spec.category = "skrew";
    ASSERT_FAILS(ead_dataset_open(&spec, &dataset), EAD_BAD_ARGUMENT,
                 "bad: has no category \"skrew\"; dataset.category can be bolt, nut");
    spec.category = NULL;
    ASSERT_FAILS(ead_dataset_open(&spec, &dataset), EAD_BAD_ARGUMENT, "has no category \"\"");
    spec.category = "bolt";
    ASSERT_FAILS(ead_dataset_open(&spec, &dataset), EAD_IO,
                 "bad/bolt: no folder train/good, which dataset.type=mvtec_ad needs; folders there: none");
    make_folders(SCRATCH "bad/bolt/train/good/");
    ASSERT_FAILS(ead_dataset_open(&spec, &dataset), EAD_BAD_ARGUMENT,
                 "bolt/train/good: no images to train on");
    touch(SCRATCH "bad/bolt/train/good/0.png");
    ASSERT_FAILS(ead_dataset_open(&spec, &dataset), EAD_BAD_ARGUMENT, "0.png: the only normal image");
    spec.category = "nut";
    ck_assert_int_eq(unlink(SCRATCH "bad/nut/ground_truth/blob/001_mask.png"), 0);
    touch(SCRATCH "bad/nut/ground_truth/blob/777_mask.png");
    ASSERT_OK(ead_dataset_open(&spec, &dataset)); /* the missing one is told when masks are read */
    ck_assert(dataset.has_masks && dataset.doubts.count >= 1);
    assert_contains(dataset.doubts.items[0],
                    "masks have no image and are ignored: " SCRATCH "bad/nut/ground_truth/blob/777_mask.png");
    ead_dataset_free(&dataset);
    shell_ok("cd " SCRATCH "bad/nut/ground_truth && find . -type f ! -name 777_mask.png -delete");
    ASSERT_FAILS(ead_dataset_open(&spec, &dataset), EAD_BAD_ARGUMENT,
                 "bad/nut/test/blob/000.png: has no mask; it should be " SCRATCH
                 "bad/nut/ground_truth/blob/000_mask.png");
    shell_ok("cd " SCRATCH "bad/nut/test && find . -type f ! -path './good/*' -delete");
    ASSERT_OK(ead_dataset_open(&spec, &dataset)); /* good images alone need none */
    ck_assert(!dataset.has_masks && dataset.test_count > 0);
    assert_contains(dataset.doubts.items[0], "masks have no image and are ignored: ");
    ead_dataset_free(&dataset);
}
END_TEST

START_TEST(spec_errors) {
    EadDataset dataset;
    EadDatasetSpec spec = mvtec(SCRATCH "nothing");
    ASSERT_FAILS(ead_dataset_open(&spec, &dataset), EAD_IO, "nothing: cannot read");
    spec.path = "";
    ASSERT_FAILS(ead_dataset_open(&spec, &dataset), EAD_BAD_ARGUMENT, "dataset.path is missing");
    spec.type = "coco";
    ASSERT_FAILS(ead_dataset_open(&spec, &dataset), EAD_BAD_ARGUMENT,
                 "\"coco\" is unknown; the types are mvtec_ad, mvtec_ad_2, mvtec_loco, visa, btad, mpdd, "
                 "kolektor_sdd, kolektor_sdd2, real_iad, folder");
    spec.type = NULL;
    ASSERT_FAILS(ead_dataset_open(&spec, &dataset), EAD_BAD_ARGUMENT, "dataset.type \"\"");
}
END_TEST

START_TEST(the_documents_name_every_type) {
    size_t size;
    char *text;
    ASSERT_OK(ead_read_file("docs/datasets.md", 1 << 20, &text, &size));
#define X(name, ...) ck_assert(strstr(text, "\n| `" #name "` |") != NULL);
    EAD_DATASET_LIST(X)
#undef X
    free(text);
}
END_TEST

START_TEST(no_test_images_is_no_error) {
    EadDataset dataset;
    fresh("untested");
    touch(SCRATCH "untested/nut/train/good/0.png");
    touch(SCRATCH "untested/nut/train/good/1.png");
    EadDatasetSpec spec = mvtec(SCRATCH "untested");
    ASSERT_OK(ead_dataset_open(&spec, &dataset));
    ck_assert(dataset.train.count == 1 && dataset.validation.count == 1);
    ck_assert(dataset.test_count == 0 && !dataset.has_masks);
    ead_dataset_free(&dataset);
}
END_TEST

static void make_folder_data(const char *name) {
    static const char *const files[] = {"ok/1.jpg",   "ok/2.jpg",         "ok/more/3.png",
                                        "held/4.png", "bad/dent/5.jpg",   "bad/dent/left/6.jpg",
                                        "bad/7.png",  "masks/dent/5.png", "masks/dent/left/6_mask.png",
                                        "masks/7.png"};
    char path[256];
    fresh(name);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        snprintf(path, sizeof path, SCRATCH "%s/%s", name, files[i]);
        touch(path);
    }
}

static EadDatasetSpec folders(const char *path) {
    return (EadDatasetSpec){.type = "folder",
                            .path = path,
                            .validation_fraction = 0.1,
                            .normal_folder = "ok",
                            .good_folder = "held/",
                            .defect_folder = "bad/",
                            .mask_folder = "masks/"};
}

START_TEST(folder) {
    static const char *const defects[] = {"good", "defect", "dent", "dent"};
    static const char *const masks[] = {NULL, "masks/7.png", "masks/dent/5.png",
                                        "masks/dent/left/6_mask.png"};
    EadDataset dataset;
    make_folder_data("own");
    EadDatasetSpec spec = folders(SCRATCH "own");
    ASSERT_OK(ead_dataset_open(&spec, &dataset));
    ck_assert(dataset.train.count == 2 && dataset.validation.count == 1);
    ck_assert(dataset.test_count == 4 && dataset.has_masks);
    for (int i = 0; i < 4; i++) {
        ck_assert_str_eq(dataset.test[i].defect, defects[i]);
        ck_assert_int_eq(dataset.test[i].anomalous, i > 0);
        if (masks[i])
            ck_assert_str_eq(dataset.test[i].mask_path + strlen(SCRATCH "own/"), masks[i]);
        else
            ck_assert_ptr_null(dataset.test[i].mask_path);
    }
    ead_dataset_free(&dataset);
    spec.mask_folder = "";
    ASSERT_OK(ead_dataset_open(&spec, &dataset));
    ck_assert(dataset.test_count == 4 && !dataset.has_masks && !dataset.test[2].mask_path);
    ead_dataset_free(&dataset);
}
END_TEST

START_TEST(folder_of_normal_images_only) {
    EadDataset dataset;
    make_folder_data("plain");
    EadDatasetSpec spec = {.type = "folder", .path = SCRATCH "plain/ok", .validation_fraction = 0.1};
    ASSERT_OK(ead_dataset_open(&spec, &dataset));
    ck_assert(dataset.train.count == 2 && dataset.validation.count == 1 && dataset.test_count == 0);
    ead_dataset_free(&dataset);
}
END_TEST

START_TEST(folder_errors) {
    EadDataset dataset;
    make_folder_data("errors");
    EadDatasetSpec spec = folders(SCRATCH "errors");
    spec.normal_folder = "none";
    ASSERT_FAILS(ead_dataset_open(&spec, &dataset), EAD_IO, "errors/none: no such folder");
    spec.normal_folder = NULL; /* the whole folder, with all test images in it */
    ASSERT_FAILS(ead_dataset_open(&spec, &dataset), EAD_BAD_ARGUMENT,
                 "both an image to train on and a test image");
    spec.normal_folder = "ok";
    spec.good_folder = "empty";
    make_folders(SCRATCH "errors/empty/");
    ASSERT_FAILS(ead_dataset_open(&spec, &dataset), EAD_BAD_ARGUMENT, "errors/empty: no test images");
    spec.good_folder = NULL;
    shell_ok("rm -r " SCRATCH "errors/masks/*");
    touch(SCRATCH "errors/masks/8.png");
    ASSERT_FAILS(ead_dataset_open(&spec, &dataset), EAD_BAD_ARGUMENT,
                 "has no mask; it should be " SCRATCH "errors/masks/");
    spec.defect_folder = NULL;
    ASSERT_FAILS(ead_dataset_open(&spec, &dataset), EAD_BAD_ARGUMENT, "needs a folder of defects");
}
END_TEST

START_TEST(masks) {
    EadGroundTruth truth;
    EadTestSample sample = {.path = "image.png", .mask_path = SCRATCH "mask.png", .anomalous = 1};
    write_noise_png(SCRATCH "mask.png", 9, 7, 1, 4);
    ASSERT_OK(ead_test_sample_truth(&sample, 9, 7, NULL, &truth));
    for (int i = 0; i < 63; i++) ck_assert(truth.mask.pixels[i] == 0 || truth.mask.pixels[i] == 255);
    ck_assert_int_eq(truth.channel_count, 0);
    ead_ground_truth_free(&truth);
    ASSERT_FAILS(ead_test_sample_truth(&sample, 8, 7, NULL, &truth), EAD_BAD_FILE,
                 "mask.png: the mask has 9 x 7 pixels, its image image.png 8 x 7");
    sample.anomalous = 0;
    ASSERT_OK(ead_test_sample_truth(&sample, 3, 2, NULL, &truth));
    for (int i = 0; i < 6; i++) ck_assert_int_eq(truth.mask.pixels[i], 0);
    sample = (EadTestSample){.path = "image.png", .mask_path = SCRATCH "black.png", .anomalous = 1};
    ASSERT_OK(ead_png_write(SCRATCH "black.png", &truth.mask));
    ead_ground_truth_free(&truth);
    ASSERT_OK(ead_test_sample_truth(&sample, 3, 2, NULL, &truth)); /* a defect without a region */
    for (int i = 0; i < 6; i++) ck_assert_int_eq(truth.mask.pixels[i], 0);
    ead_ground_truth_free(&truth);
    sample.mask_path = NULL;
    ASSERT_OK(ead_test_sample_truth(&sample, 3, 2, NULL, &truth)); /* and one whose mask is missing */
    for (int i = 0; i < 6; i++) ck_assert_int_eq(truth.mask.pixels[i], 0);
    ead_ground_truth_free(&truth);
}
END_TEST

START_TEST(real_bottle) {
    SKIP_UNLESS(ead_path_is_folder("../shared/data/mvtec_ad/bottle"), "no MVTec AD bottle on this machine");
    EadDataset dataset;
    EadDatasetSpec spec = {.type = "mvtec_ad",
                           .path = "../shared/data/mvtec_ad",
                           .category = "bottle",
                           .validation_fraction = 0.1};
    ASSERT_OK(ead_dataset_open(&spec, &dataset));
    ck_assert(dataset.train.count == 188 && dataset.validation.count == 21 && dataset.test_count == 83);
    ASSERT_OK(ead_dataset_check_tests(&dataset, NULL, false));
    ead_dataset_free(&dataset);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("dataset");
    TCase *tests = tcase_create("dataset");
    tcase_add_test(tests, walk_sorts_and_skips);
    tcase_add_test(tests, walk_errors);
    tcase_add_test(tests, mvtec_ad);
    tcase_add_test(tests, split);
    tcase_add_test(tests, split_bounds);
    tcase_add_test(tests, mvtec_ad_errors);
    tcase_add_test(tests, spec_errors);
    tcase_add_test(tests, the_documents_name_every_type);
    tcase_add_test(tests, no_test_images_is_no_error);
    tcase_add_test(tests, folder);
    tcase_add_test(tests, folder_of_normal_images_only);
    tcase_add_test(tests, folder_errors);
    tcase_add_test(tests, masks);
    tcase_add_test(tests, real_bottle);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
