/* Folders found by their names, as people make them: what is read, and that nothing which could be defective is
 * trained on without a word. */
#define SCRATCH "build/scratch/dataset_found/"
#include "test/data/data_trees.h"

#include "data/dataset/folder_names.h"

START_TEST(names_have_meanings) {
    static const struct {
        const char *name;
        EadFolderMeaning meaning;
    } cases[] = {
        {"good", EAD_FOLDER_GOOD},
        {"OK", EAD_FOLDER_GOOD},
        {"01_good", EAD_FOLDER_GOOD},
        {"Good Parts", EAD_FOLDER_GOOD},
        {"ok_front", EAD_FOLDER_GOOD},
        {"cam-a-good", EAD_FOLDER_GOOD},
        {"def_front", EAD_FOLDER_BAD},
        {"not_ok_front", EAD_FOLDER_BAD},
        {"ok_2024-03-01", EAD_FOLDER_GOOD},
        {"gut ok", EAD_FOLDER_GOOD},
        {"iO", EAD_FOLDER_GOOD},
        {"i.O.", EAD_FOLDER_GOOD},
        {"defect-free", EAD_FOLDER_GOOD},
        {"no_defects_found", EAD_FOLDER_GOOD},
        {"undamaged", EAD_FOLDER_GOOD},
        {"bad", EAD_FOLDER_BAD},
        {"NG2", EAD_FOLDER_BAD},
        {"Not OK", EAD_FOLDER_BAD},
        {"not good", EAD_FOLDER_BAD},
        {"n.i.O.", EAD_FOLDER_BAD},
        {"bad_solder", EAD_FOLDER_BAD},
        {"defective parts", EAD_FOLDER_BAD},
        {"train2017", EAD_FOLDER_TRAIN},
        {"training_set", EAD_FOLDER_TRAIN},
        {"Val", EAD_FOLDER_VALIDATION},
        {"test_images", EAD_FOLDER_TEST},
        {"Masks", EAD_FOLDER_MASKS},
        {"ground truth", EAD_FOLDER_MASKS},
        {"missing_label", EAD_FOLDER_OTHER},
        {"normal_map", EAD_FOLDER_OTHER},
        {"scratch", EAD_FOLDER_OTHER},
        {"\xF0\x9F\x98\x80", EAD_FOLDER_OTHER},
        {"0", EAD_FOLDER_EITHER},
        {"Positive", EAD_FOLDER_EITHER},
        {"class_1", EAD_FOLDER_EITHER},
        {"Masken", EAD_FOLDER_MASKS},
        {"Non-conforme", EAD_FOLDER_BAD},
        {"合格品", EAD_FOLDER_GOOD},
        {"不良", EAD_FOLDER_BAD},
        {"Images", EAD_FOLDER_IMAGES},
        {"2024-03-01", EAD_FOLDER_NUMBER},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        ck_assert_msg(ead_folder_meaning(cases[i].name) == cases[i].meaning, "%s is %d", cases[i].name,
                      ead_folder_meaning(cases[i].name));
}
END_TEST

/* A tree, and what becomes of it: the images trained on or held back, and those tested. */
typedef struct PeoplesTree {
    const char *name, *files[12];
    int normal; /* with a validation image */
    ExpectedTest tests[4];
    int test_count;
} PeoplesTree;

static const PeoplesTree trees[] = {
    {"numbered",
     {"01_good/0.png", "01_good/1.png", "02_bad/0.png"},
     2,
     {{"02_bad/0.png", "02_bad", NULL}},
     1},
    {"unpacked",
     {"parts/v2/iO/0.png", "parts/v2/iO/1.png", "parts/v2/niO/0.png"},
     2,
     {{"niO/0.png", "niO", NULL}},
     1},
    {"dated",
     {"2024-01-01/ok/0.png", "2024-01-01/nok/0.png", "2024-01-02/ok/0.png", "2024-01-02/nok/1.png"},
     2,
     {{"01/nok/0.png", "nok", NULL}, {"02/nok/1.png", "nok", NULL}},
     2},
    {"set",
     {"training_set/0.png", "training_set/1.png", "test_set/images/good/2.png", "test_set/images/dent/3.png"},
     2,
     {{"good/2.png", "good", NULL}, {"dent/3.png", "dent", NULL}},
     2},
    {"flat",
     {"ok/0.png", "ok/1.png", "nok/2.png", "dent/3.png", "masks/2.png", "masks/3_mask.png", "!masks/0.png",
      "!masks/1.png", NULL},
     2,
     {{"nok/2.png", "nok", "masks/2.png"}, {"dent/3.png", "dent", "masks/3_mask.png"}},
     2},
    {"apart",
     {"images/good/0.png", "images/good/1.png", "images/bad/0.png", "masks/bad/0.png"},
     2,
     {{"images/bad/0.png", "bad", "masks/bad/0.png"}},
     1},
    {"named",
     {"OK/0.png", "OK/1.png", "NG/0.png", "NG_masks/0.png"},
     2,
     {{"NG/0.png", "NG", "NG_masks/0.png"}},
     1},
    {"inside",
     {"ok/0.png", "ok/1.png", "nok/0.png", "nok/masks/0.png"},
     2,
     {{"nok/0.png", "nok", "nok/masks/0.png"}},
     1},
    {"next",
     {"train/0.png", "train/1.png", "test/ok/2.png", "test/nok/3.png", "test/nok/3_gt.png"},
     2,
     {{"ok/2.png", "good", NULL}, {"nok/3.png", "nok", "nok/3_gt.png"}},
     2},
    {"beside", /* the tests: good ones are trained on whole */
     {"normal/0.png", "normal/1.png", "normal/2.png", "test/normal/3.png", "test/anomaly/4.png"},
     3,
     {{"test/normal/3.png", "good", NULL}, {"anomaly/4.png", "anomaly", NULL}},
     2},
    {"some", /* have masks: none is used */
     {"ok/0.png", "ok/1.png", "nok/3.png", "nok/4.png", "nok/4_gt.png"},
     2,
     {{"nok/3.png", "nok", NULL}, {"nok/4.png", "nok", NULL}},
     2},
};

START_TEST(what_people_make) {
    char path[256];
    const PeoplesTree *tree = &trees[_i];
    make_tree(tree->name, tree->files);
    snprintf(path, sizeof path, SCRATCH "%s", tree->name);
    check(spec_of("folder", path, ""), tree->normal - 1, 1, tree->tests, tree->test_count);
}
END_TEST

/* As the trees are to be refused: with what is said. */
static const struct {
    const char *name, *files[6], *message;
} refused[] = {
    {"zero", {"0/0.png", "0/1.png", "1/2.png"}, "zero: its folders' names do not say which images are good"},
    {"sign", {"train/pos/0.png", "train/neg/1.png"}, "sign/train: its folders' names do not say which"},
    {"tests", {"test/ok/0.png", "test/nok/1.png"}, "tests: no folder of images to train on beside test"},
    {"deep", {"a/0.png", "b/c/NG/1.png"}, "deep/b/c/NG: must not be trained on"},
    {"sets", {"x/train/0.png", "x/test/1.png", "y/train/2.png", "y/test/3.png"}, "sets/x/test: must not be"},
    {"holes",
     {"images/0.png", "images/1.png", "masks/0.png"},
     "holes/masks: holds masks, but no folder's name"},
    {"files",
     {"ok_1.png", "ok_2.png", "nok_1.png"},
     "files/nok_1.png: must not be trained on as ok_2.png is"},
    {"twice", {"ok/0.png", "a/1.png", "b/1.png", "masks/1.png"}, "masks/1.png: is the mask of"},
    {"shares", {"ok/0.png", "a/1.png", "a/masks/1.png", "b/1.png", "b/masks/1.png"}, "move them to"},
    {"unlabelled", {"train/0.png", "train/1.png", "test/images/2.png"}, "test/images/2.png: lies outside of"},
    {"kinds",
     {"good/train/0.png", "good/test/1.png", "bad/test/2.png"},
     "2.png: lies in a folder test below"},
    {"strange", {"Lernen/0.png", "Lernen/1.png", "Proben/ok/2.png", "Proben/nok/3.png"}, "nok: must not be"},
    {"classes", {"class 0/0.png", "class 1/1.png"}, "classes: its folders' names do not say"},
    {"voc", {"JPEGImages/0.png", "SegmentationClass/0.png"}, "voc: this is Pascal VOC's layout (JPEGImages)"},
    {"strangers",
     {"fine/0.png", "fine/1.png", "scratch/2.png"},
     "no name says which of its images are good, those in " SCRATCH "strangers/fine, " SCRATCH
     "strangers/scratch; train on"},
    {"days", {"monday/0.png", "tuesday/1.png"}, "no name says which of its images are good"},
    {"top", {"0.png", "1.png", "scratch/0.png"}, "scratch or those beside; train on a folder of good images"},
    {"cases", {"0/0.png", "1/1.png", "2/2.png"}, "no name says which of its images are good"},
    {"tiles", {"MT_Free/Imgs/0.png", "MT_Crack/Imgs/0.png"}, "tiles: this is the magnetic tiles' layout"},
};

START_TEST(what_does_not_tell) {
    char path[256];
    EadDataset dataset;
    make_tree(refused[_i].name, refused[_i].files);
    snprintf(path, sizeof path, SCRATCH "%s", refused[_i].name);
    EadDatasetSpec spec = spec_of("folder", path, "");
    ASSERT_FAILS(ead_dataset_open(&spec, &dataset), EAD_BAD_ARGUMENT, refused[_i].message);
}
END_TEST

/* What of the training images is left out, or taken in by guess, is told. */
START_TEST(guesses_are_told) {
    static const char *const left[] = {"train/good/0.png", "train/good/1.png", "train/bad/2.png", NULL};
    static const char *const kinds[] = {"ok/0.png", "ok/1.png",     "ok/2.png", "ok/3.png",
                                        "ok/4.png", "normal/5.png", "ng/6.png", NULL};
    static const char *const validated[] = {"train/ok/0.png", "val/OK/1.png", "val/NOK/2.png", NULL};
    static const char *const all[] = {"2024-01-01/0.png", "2024-01-02/1.png", NULL};
    static const char *const good[] = {"monday/0.png", "tuesday/1.png", NULL};
    EadDataset dataset;
    EadDatasetSpec spec = spec_of("folder", SCRATCH "left", "");
    make_tree("left", left);
    ASSERT_OK(ead_dataset_open(&spec, &dataset));
    ck_assert_int_eq(dataset.train.count + dataset.validation.count, 2);
    ck_assert_str_eq(dataset.doubts.items[0],
                     "1 picture is no part of the layout, and not used: " SCRATCH "left/train/bad (1)");
    ead_dataset_free(&dataset);
    make_tree("validated", validated);
    spec.path = SCRATCH "validated";
    ASSERT_OK(ead_dataset_open(&spec, &dataset));
    ck_assert_str_eq(dataset.doubts.items[0],
                     "1 picture is no part of the layout, and not used: " SCRATCH "validated/val/NOK (1)");
    ead_dataset_free(&dataset);
    make_tree("kinds", kinds); /* two of them are good */
    spec.path = SCRATCH "kinds";
    ASSERT_OK(ead_dataset_open(&spec, &dataset));
    ck_assert(dataset.test_count == 2 && dataset.train.count + dataset.validation.count == 5);
    assert_contains(
        dataset.notes.items[0],
        "kinds: for tests: every fifth good image (1 of 6) and all others (1, in ng); dataset.train_good");
    ead_dataset_free(&dataset);
    spec.test_only = true;
    ASSERT_OK(ead_dataset_open(&spec, &dataset));
    ck_assert_int_eq(dataset.test_count, 2);
    assert_contains(
        dataset.notes.items[0],
        "kinds: 5 good images belong to the images to train on, and are not tested: nothing else");
    ead_dataset_free(&dataset);
    spec.test_only = false;
    make_tree("all", all);
    spec.path = SCRATCH "all";
    ASSERT_OK(ead_dataset_open(&spec, &dataset));
    ck_assert_int_eq(dataset.train.count + dataset.validation.count, 2);
    assert_contains(dataset.notes.items[0], "all images below it are taken for good ones: " SCRATCH
                                            "all/2024-01-01, " SCRATCH "all/2024-01-02");
    ead_dataset_free(&dataset);
    make_tree("good", good); /* its own name says it */
    spec.path = SCRATCH "good/";
    ASSERT_OK(ead_dataset_open(&spec, &dataset));
    ck_assert_int_eq(dataset.train.count + dataset.validation.count, 2);
    assert_contains(dataset.notes.items[0],
                    "all images below it are taken for good ones: " SCRATCH "good/monday");
    ead_dataset_free(&dataset);
    spec.path = SCRATCH "days"; /* or the user does */
    spec.normal_folder = ".";
    ASSERT_OK(ead_dataset_open(&spec, &dataset));
    ck_assert_int_eq(dataset.train.count + dataset.validation.count, 2);
    ead_dataset_free(&dataset);
}
END_TEST

/* A picture that this program wrote about another one. */
static void write_ours(const char *path, const char *software) {
    EadImage image;
    make_folders(path);
    fill_image(&image, WIDTH, HEIGHT, 3, 9);
    ASSERT_OK(ead_png_write_by(path, &image, software));
    ead_image_free(&image);
}

/* Folders of what predict wrote are neither kinds of images nor masks: what is trained on stays the same. */
START_TEST(outputs_change_nothing) {
    static const char *const files[] = {"good/0.png", "good/1.png", "good/2.png", NULL};
    EadDataset dataset;
    EadDatasetSpec spec = spec_of("folder", SCRATCH "ours", "");
    make_tree("ours", files);
    write_ours(SCRATCH "ours/heat/0.png", "efficientad overlay");
    write_ours(SCRATCH "ours/masks/0.png", "efficientad mask");
    write_ours(SCRATCH "ours/good/heat/1.png", "efficientad overlay");
    ASSERT_OK(ead_dataset_open(&spec, &dataset));
    ck_assert(dataset.train.count + dataset.validation.count == 3 && dataset.test_count == 0);
    ck_assert(dataset.left_out.counts[EAD_LEFT_OUT_OURS] == 3 && dataset.doubts.count == 0);
    ck_assert_int_eq(dataset.notes.count, 0);
    ead_dataset_free(&dataset);
    spec.path = SCRATCH "ours/heat";
    ASSERT_FAILS(
        ead_dataset_open(&spec, &dataset), EAD_BAD_ARGUMENT,
        "heat: no images to train on (.png, .jpg, .jpeg, .bmp, .tif, .tiff, .webp) but maps, overlays");
}
END_TEST

/* Trees of MVTec AD's kind: masks in a flat folder or among the tests, a folder too many above, 3D. */
START_TEST(trees_of_categories) {
    static const char *const flat[] = {"x/train/good/0.png", "x/train/good/1.png",   "x/test/good/0.png",
                                       "x/test/hole/0.png",  "x/ground_truth/0.png", NULL};
    static const char *const among[] = {"x/train/good/0.png",        "x/train/good/1.png",
                                        "x/test/good/0.png",         "x/test/hole/1.png",
                                        "x/test/ground_truth/1.png", NULL};
    static const char *const cubic[] = {"x/train/good/rgb/0.png", "x/train/good/xyz/0.tiff", NULL};
    static const ExpectedTest of_flat[] = {{"good/0.png", "good", NULL},
                                           {"hole/0.png", "hole", "ground_truth/0.png"}};
    static const ExpectedTest of_among[] = {{"good/0.png", "good", NULL},
                                            {"hole/1.png", "hole", "test/ground_truth/1.png"}};
    EadDataset dataset;
    make_tree("trees/flat", flat);
    make_tree("trees/among", among);
    make_tree("trees/cubic", cubic);
    CHECK(spec_of("mvtec_ad", SCRATCH "trees/flat", "x"), 1, 1, of_flat);
    CHECK(spec_of("mvtec_ad", SCRATCH "trees/among", "x"), 1, 1, of_among);
    EadDatasetSpec spec = spec_of("mvtec_ad", SCRATCH "trees/cubic", "x");
    ASSERT_FAILS(ead_dataset_open(&spec, &dataset), EAD_BAD_ARGUMENT, "this is MVTec 3D-AD's layout");
    spec.path = SCRATCH "trees";
    ASSERT_FAILS(ead_dataset_open(&spec, &dataset), EAD_BAD_ARGUMENT,
                 "trees: has no category \"x\", but " SCRATCH "trees/among has; set dataset.path to it");
}
END_TEST

START_TEST(folders_by_their_names) {
    static const char *const divided[] = {"Train/OK/0.png", "Train/OK/1.png", "Test/OK/2.png",
                                          "Test/NG/3.png",  "masks/NG/3.png", NULL};
    static const char *const plain[] = {"train/0.png",        "train/1.png", "test/normal/2.png",
                                        "test/scratch/3.png", "val/4.png",   NULL};
    static const char *const beside[] = {"good/0.png",
                                         "good/1.png",
                                         "good/2.png",
                                         "good/3.png",
                                         "good/4.png",
                                         "good/5.png",
                                         "bad/0.png",
                                         "bad/deep/1.png",
                                         "!ground_truth/good/4.png",
                                         "ground_truth/bad/0.png",
                                         "ground_truth/bad/deep/1.png",
                                         NULL};
    static const char *const kinds[] = {"normal/0.png", "normal/1.png", "scratch/0.png", "dent/0.png", NULL};
    static const ExpectedTest of_divided[] = {{"Test/OK/2.png", "good", NULL},
                                              {"Test/NG/3.png", "NG", "masks/NG/3.png"}};
    static const ExpectedTest of_plain[] = {{"test/normal/2.png", "good", NULL},
                                            {"test/scratch/3.png", "scratch", NULL}};
    static const ExpectedTest of_beside[] = {{"good/4.png", "good", "ground_truth/good/4.png"},
                                             {"bad/0.png", "bad", "ground_truth/bad/0.png"},
                                             {"bad/deep/1.png", "bad", "ground_truth/bad/deep/1.png"}};
    static const ExpectedTest of_kinds[] = {{"scratch/0.png", "scratch", NULL}, {"dent/0.png", "dent", NULL}};
    make_tree("divided", divided);
    make_tree("plain", plain);
    make_tree("beside", beside);
    make_tree("kinds", kinds);
    CHECK(spec_of("folder", SCRATCH "divided", ""), 1, 1, of_divided);
    CHECK(spec_of("folder", SCRATCH "plain/", ""), 2, 1, of_plain);
    CHECK(spec_of("folder", SCRATCH "beside", ""), 4, 1, of_beside);
    CHECK(spec_of("folder", SCRATCH "kinds", ""), 1, 1, of_kinds);
}
END_TEST

/* Nothing that could be defective is trained on without a word. */
START_TEST(folders_that_do_not_tell) {
    static const char *const bad[] = {"0.png", "1.png", "NOK/2.png", NULL};
    static const char *const loose[] = {"ok/0.png", "ok/1.png", "nok/2.png", "3.png", NULL};
    EadDataset dataset;
    EadDatasetSpec spec = spec_of("folder", SCRATCH "bad", "");
    make_tree("bad", bad);
    make_tree("loose", loose);
    ASSERT_FAILS(ead_dataset_open(&spec, &dataset), EAD_BAD_ARGUMENT,
                 "bad/NOK: must not be trained on; set dataset.train_good");
    spec.path = SCRATCH "loose";
    ASSERT_FAILS(ead_dataset_open(&spec, &dataset), EAD_BAD_ARGUMENT,
                 "loose/3.png: lies outside of the folders of good and of defective images");
}
END_TEST

int main(void) {
    Suite *suite = suite_create("dataset_found");
    TCase *tests = tcase_create("dataset_found");
    tcase_add_test(tests, names_have_meanings);
    tcase_add_loop_test(tests, what_people_make, 0, (int)(sizeof trees / sizeof *trees));
    tcase_add_loop_test(tests, what_does_not_tell, 0, (int)(sizeof refused / sizeof *refused));
    tcase_add_test(tests, folders_by_their_names);
    tcase_add_test(tests, folders_that_do_not_tell);
    tcase_add_test(tests, guesses_are_told);
    tcase_add_test(tests, outputs_change_nothing);
    tcase_add_test(tests, trees_of_categories);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
