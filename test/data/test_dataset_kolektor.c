/* KolektorSDD and KolektorSDD2, whose masks lie beside the images. */
#define SCRATCH "build/scratch/dataset_kolektor/"
#include "test/data/data_trees.h"

/* Good parts of the fifth item and all parts with a defect are tested. */
START_TEST(kolektor_sdd) {
    static const char *const files[] = {
        "kos01/Part0.jpg",        "!kos01/Part0_label.bmp", "kos01/Part1.jpg",
        "kos01/Part1_label.bmp",  "kos02/Part0.jpg",        "!kos02/Part0_label.bmp",
        "kos03/Part0.jpg",        "!kos03/Part0_label.bmp", "kos04/Part0.jpg",
        "!kos04/Part0_label.bmp", "kos05/Part0.jpg",        "!kos05/Part0_label.bmp",
        "kos05/Part1.jpg",        "kos05/Part1_label.bmp",  NULL};
    static const ExpectedTest expected[] = {{"kos01/Part1.jpg", "defect", "kos01/Part1_label.bmp"},
                                            {"kos05/Part0.jpg", "good", "kos05/Part0_label.bmp"},
                                            {"kos05/Part1.jpg", "defect", "kos05/Part1_label.bmp"}};
    make_tree("sdd", files);
    EadDataset dataset;
    EadDatasetSpec spec = spec_of("kolektor_sdd", SCRATCH "sdd", "");
    CHECK(spec, 3, 1, expected);
    ASSERT_OK(ead_dataset_open(&spec, &dataset));
    ck_assert_int_eq(dataset.notes.count, 1);
    ck_assert_str_eq(dataset.notes.items[0], SCRATCH
                     "sdd: for tests: the good images of items whose numbers 5 divides, and all defects (3); "
                     "for training: the other good images (4)");
    ead_dataset_free(&dataset);
    spec.test_only = true;
    ASSERT_OK(ead_dataset_open(&spec, &dataset));
    ck_assert_int_eq(dataset.notes.count, 1);
    ck_assert_str_eq(dataset.notes.items[0], SCRATCH
                     "sdd: 4 good images belong to the images to train on, and are not tested: nothing else "
                     "divides them");
    ead_dataset_free(&dataset);
}
END_TEST

/* An item has the same part whatever others are there: only some of them, copies, a part by itself. */
START_TEST(kolektor_items_keep_their_part) {
    static const char *const files[] = {"kos05/Part0.jpg",
                                        "!kos05/Part0_label.bmp",
                                        "kos05/Part1.jpg",
                                        "kos05/Part1_label.bmp",
                                        "kos10/Part0.jpg",
                                        "!kos10/Part0_label.bmp",
                                        "kos49/Part0.jpg",
                                        "!kos49/Part0_label.bmp",
                                        "kos49/Part3.jpg",
                                        "!kos49/Part3_label.bmp",
                                        "others/Part0.jpg",
                                        "!others/Part0_label.bmp",
                                        NULL};
    static const ExpectedTest expected[] = {{"kos05/Part0.jpg", "good", "kos05/Part0_label.bmp"},
                                            {"kos05/Part1.jpg", "defect", "kos05/Part1_label.bmp"},
                                            {"kos10/Part0.jpg", "good", "kos10/Part0_label.bmp"}};
    EadDataset dataset;
    EadDatasetSpec spec = spec_of("kolektor_sdd", SCRATCH "items", "");
    make_tree("items", files);
    CHECK(spec, 2, 1, expected);
    shell_ok("rm -r " SCRATCH "items/kos05");
    check(spec, 2, 1, expected + 2, 1);
    shell_ok("rm -r " SCRATCH "items/kos49 " SCRATCH "items/others");
    ASSERT_FAILS(ead_dataset_open(&spec, &dataset), EAD_BAD_ARGUMENT,
                 "items: no good images to train on: all are of items for tests, whose numbers 5 divides");
}
END_TEST

START_TEST(kolektor_sdd2) {
    static const char *const files[] = {"train/10000.png",
                                        "!train/10000_GT.png",
                                        "train/10001.png",
                                        "!train/10001_GT.png",
                                        "train/10002.png",
                                        "train/10002_GT.png",
                                        "test/20000.png",
                                        "!test/20000_GT.png",
                                        "test/20001.png",
                                        "test/20001_GT.png",
                                        NULL};
    static const ExpectedTest expected[] = {{"test/20000.png", "good", "test/20000_GT.png"},
                                            {"test/20001.png", "defect", "test/20001_GT.png"}};
    EadDataset dataset;
    EadDatasetSpec spec = spec_of("kolektor_sdd2", SCRATCH "sdd2", "");
    make_tree("sdd2", files);
    CHECK(spec, 1, 1, expected);
    ASSERT_OK(ead_dataset_open(&spec, &dataset));
    ck_assert(dataset.has_masks && dataset.notes.count == 1);
    assert_contains(dataset.notes.items[0], "sdd2/train: 1 images with a defect are not trained on");
    ead_dataset_free(&dataset);
    spec.type = "kolektor_sdd";
    ASSERT_FAILS(ead_dataset_open(&spec, &dataset), EAD_BAD_ARGUMENT,
                 "this is the layout of dataset.type=kolektor_sdd2");
}
END_TEST

/* An image whose mask is missing is neither good nor defective; a dead link costs itself. */
START_TEST(kolektor_masks_that_lack) {
    static const char *const files[] = {"train/10000.png",
                                        "!train/10000_GT.png",
                                        "train/10001.png",
                                        "!train/10001_GT.png",
                                        "test/20000.png",
                                        "!test/20000_GT.png",
                                        "test/20001.png",
                                        "test/20001_GT.png",
                                        "test/20003.png",
                                        "!test/20003_GT.png",
                                        NULL};
    static const ExpectedTest expected[] = {{"test/20001.png", "defect", "test/20001_GT.png"},
                                            {"test/20003.png", "good", "test/20003_GT.png"}};
    EadDataset dataset;
    EadDatasetSpec spec = spec_of("kolektor_sdd2", SCRATCH "sdd2", "");
    make_tree("sdd2", files);
    shell_ok("cd " SCRATCH "sdd2/test && rm 20000_GT.png && ln -s nowhere 20002.png");
    CHECK(spec, 1, 1, expected);
    ASSERT_OK(ead_dataset_open(&spec, &dataset));
    ck_assert(dataset.doubts.count == 1 && dataset.left_out.counts[EAD_LEFT_OUT_UNREADABLE] == 1);
    ck_assert_str_eq(dataset.doubts.items[0],
                     "1 of 5 images have no mask that says what they are, and are left out: " SCRATCH
                     "sdd2/test/20000.png: has no mask; it should be " SCRATCH
                     "sdd2/test/20000_GT.png or .bmp");
    ead_dataset_free(&dataset);
    shell_ok("ln -s nowhere " SCRATCH "sdd2/test/20000_GT.png");
    ASSERT_OK(ead_dataset_open(&spec, &dataset));
    assert_contains(dataset.doubts.items[0],
                    "sdd2/test/20000.png: its mask " SCRATCH "sdd2/test/20000_GT.png: cannot read: ");
    ead_dataset_free(&dataset);
    shell_ok("rm " SCRATCH "sdd2/*/*_GT.png");
    ASSERT_FAILS(ead_dataset_open(&spec, &dataset), EAD_BAD_ARGUMENT,
                 "sdd2/train/10000.png: has no mask; it should be " SCRATCH "sdd2/train/10000_GT.png");
}
END_TEST

/* Masks without image beside images are told, as those in folders are. */
START_TEST(kolektor_masks_without_image) {
    static const char *const files[] = {
        "train/0.png",    "!train/0_GT.png", "train/1.png",   "!train/1_GT.png",
        "train/2_GT.png", "test/3.png",      "test/3_GT.png", NULL};
    EadDatasetSpec spec = spec_of("kolektor_sdd2", SCRATCH "stray", "");
    EadDataset dataset;
    make_tree("stray", files);
    ASSERT_OK(ead_dataset_open(&spec, &dataset));
    ck_assert_int_eq(dataset.doubts.count, 1);
    ck_assert_str_eq(dataset.doubts.items[0],
                     "1 of 3 masks have no image and are ignored: " SCRATCH "stray/train/2_GT.png");
    ead_dataset_free(&dataset);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("dataset_kolektor");
    TCase *tests = tcase_create("dataset_kolektor");
    tcase_add_test(tests, kolektor_sdd);
    tcase_add_test(tests, kolektor_items_keep_their_part);
    tcase_add_test(tests, kolektor_sdd2);
    tcase_add_test(tests, kolektor_masks_that_lack);
    tcase_add_test(tests, kolektor_masks_without_image);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
