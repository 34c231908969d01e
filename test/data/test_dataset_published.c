/* Data sets as they are published, but for KolektorSDD (test_dataset_kolektor.c): tiny trees of each layout, with the names, labels and masks that must come out. Names
 * of folders and files are those of the published archives. */
#define SCRATCH "build/scratch/dataset_published/"
#include "test/data/data_trees.h"

#include "core/base/paths.h"

START_TEST(btad) {
    static const char *const files[] = {"01/train/ok/0000.bmp",
                                        "01/train/ok/0001.bmp",
                                        "01/train/ok/0002.bmp",
                                        "01/test/ok/0000.bmp",
                                        "01/test/ko/0000.bmp",
                                        "01/test/ko/0001.bmp",
                                        "01/ground_truth/ko/0000.png",
                                        "01/ground_truth/ko/0001.png",
                                        "03/train/ok/0000.bmp",
                                        "03/train/ok/0001.bmp",
                                        "03/test/ko/0100.bmp",
                                        "03/ground_truth/ko/0100.bmp",
                                        NULL};
    static const ExpectedTest first[] = {{"test/ok/0000.bmp", "good", NULL},
                                         {"test/ko/0000.bmp", "ko", "ground_truth/ko/0000.png"},
                                         {"test/ko/0001.bmp", "ko", "ground_truth/ko/0001.png"}};
    static const ExpectedTest third[] = {{"test/ko/0100.bmp", "ko", "ground_truth/ko/0100.bmp"}};
    make_tree("btad", files);
    CHECK(spec_of("btad", SCRATCH "btad", "01"), 2, 1, first);
    CHECK(spec_of("btad", SCRATCH "btad", "03"), 1, 1, third);
}
END_TEST

START_TEST(mpdd) {
    static const char *const files[] = {"tubes/train/good/000.png",
                                        "tubes/train/good/001.png",
                                        "tubes/test/good/000.png",
                                        "tubes/test/anomalous/000.png",
                                        "tubes/test/anomalous/001.png",
                                        "tubes/ground_truth/anomalous/000_mask.png",
                                        "tubes/ground_truth/anomalous/001_mask.png",
                                        NULL};
    static const ExpectedTest expected[] = {
        {"test/good/000.png", "good", NULL},
        {"test/anomalous/000.png", "anomalous", "ground_truth/anomalous/000_mask.png"},
        {"test/anomalous/001.png", "anomalous", "ground_truth/anomalous/001_mask.png"}};
    make_tree("mpdd", files);
    CHECK(spec_of("mpdd", SCRATCH "mpdd", "tubes"), 1, 1, expected);
}
END_TEST

/* The masks lie among the test images; the private ones have no labels. */
START_TEST(mvtec_ad_2) {
    static const char *const files[] = {"can/train/good/000_regular.png",
                                        "can/train/good/001_regular.png",
                                        "can/train/good/002_regular.png",
                                        "can/validation/good/000_regular.png",
                                        "can/test_public/good/000_overexposed.png",
                                        "can/test_public/bad/000_regular.png",
                                        "can/test_public/bad/000_shift_1.png",
                                        "can/test_public/ground_truth/bad/000_regular_mask.png",
                                        "can/test_public/ground_truth/bad/000_shift_1_mask.png",
                                        "can/test_private/000_regular.png",
                                        "can/test_private_mixed/000_mixed.png",
                                        NULL};
    static const ExpectedTest expected[] = {
        {"test_public/good/000_overexposed.png", "good", NULL},
        {"test_public/bad/000_regular.png", "bad", "test_public/ground_truth/bad/000_regular_mask.png"},
        {"test_public/bad/000_shift_1.png", "bad", "test_public/ground_truth/bad/000_shift_1_mask.png"}};
    make_tree("ad2", files);
    EadDatasetSpec spec = spec_of("mvtec_ad_2", SCRATCH "ad2", "can");
    CHECK(spec, 3, 1, expected);
    for (int i = 0; i < 2; i++) {
        EadDataset dataset;
        spec.test_only = i > 0;
        ASSERT_OK(ead_dataset_open(&spec, &dataset));
        ck_assert_int_eq(dataset.notes.count, 2);
        assert_contains(dataset.notes.items[0], "can/test_private: is no part of the layout, and not used");
        assert_contains(dataset.notes.items[1], "can/test_private_mixed: is no part");
        ead_dataset_free(&dataset);
    }
}
END_TEST

static const char real_iad_json[] =
    "{\"meta\": {\"normal_class\": \"OK\", \"prefix\": \"mint/\"},\n"
    "\"train\": [{\"category\": \"mint\", \"anomaly_class\": \"OK\", \"image_path\": \"OK/S0001/a.jpg\", "
    "\"mask_path\": null},\n"
    "{\"category\": \"mint\", \"anomaly_class\": \"OK\", \"image_path\": \"OK/S0001/b.jpg\", \"mask_path\": "
    "null}],\n"
    "\"test\": [{\"category\": \"mint\", \"anomaly_class\": \"OK\", \"image_path\": \"OK/S0002/a.jpg\", "
    "\"mask_path\": null},\n"
    "{\"category\": \"mint\", \"anomaly_class\": \"AK\", \"image_path\": \"NG/AK/S0001/a.jpg\", "
    "\"mask_path\": \"NG/AK/S0001/a_ground_truth.png\"}]}";

static void make_real_iad(void) {
    static const char *const files[] = {"realiad_256/mint/OK/S0001/a.jpg",
                                        "realiad_256/mint/OK/S0001/b.jpg",
                                        "realiad_256/mint/OK/S0002/a.jpg",
                                        "realiad_256/mint/OK/S0003/not_listed.jpg",
                                        "realiad_256/mint/NG/AK/S0001/a.jpg",
                                        "realiad_256/mint/NG/AK/S0001/a_ground_truth.png",
                                        NULL};
    make_tree("realiad", files);
}

START_TEST(real_iad) {
    static const ExpectedTest expected[] = {
        {"realiad_256/mint/OK/S0002/a.jpg", "good", NULL},
        {"realiad_256/mint/NG/AK/S0001/a.jpg", "AK", "realiad_256/mint/NG/AK/S0001/a_ground_truth.png"}};
    make_real_iad();
    write_text(SCRATCH "realiad/realiad_jsons/mint.json", real_iad_json);
    CHECK(spec_of("real_iad", SCRATCH "realiad", "mint"), 1, 1, expected);
    make_real_iad();
    write_text(SCRATCH "realiad/realiad_jsons/realiad_jsons/mint.json",
               real_iad_json); /* as it is unpacked */
    CHECK(spec_of("real_iad", SCRATCH "realiad", "mint"), 1, 1, expected);
}
END_TEST

/* As people's editors save it. */
START_TEST(real_iad_with_a_mark) {
    static const char mark[] = "\xEF\xBB\xBF", path[] = SCRATCH "realiad/realiad_jsons/mint.json";
    static const ExpectedTest expected[] = {{"OK/S0002/a.jpg", "good", NULL},
                                            {"AK/S0001/a.jpg", "AK", "AK/S0001/a_ground_truth.png"}};
    char text[2 * sizeof real_iad_json + 4];
    EadDataset dataset;
    EadDatasetSpec spec = spec_of("real_iad", SCRATCH "realiad", "mint");
    size_t size = sizeof real_iad_json - 1;
    make_real_iad();
    make_folders(path);
    snprintf(text, sizeof text, "%s%s", mark, real_iad_json);
    write_bytes(path, text, strlen(text));
    CHECK(spec, 1, 1, expected);
    snprintf(text, sizeof text, "%s%s\x1A", mark, real_iad_json); /* the end mark of DOS */
    write_bytes(path, text, strlen(text));
    CHECK(spec, 1, 1, expected);
    for (int order = 0; order < 2; order++) { /* UTF-16 */
        memcpy(text, order ? "\xFE\xFF" : "\xFF\xFE", 2);
        for (size_t i = 0; i < size; i++) {
            text[2 + 2 * i + (size_t)order] = real_iad_json[i];
            text[3 + 2 * i - (size_t)order] = '\0';
        }
        write_bytes(path, text, 2 + 2 * size);
        ASSERT_FAILS(ead_dataset_open(&spec, &dataset), EAD_BAD_FILE, "mint.json: is UTF-16");
    }
}
END_TEST

/* Entries of three defects: one mask is null, one is not there. */
START_TEST(real_iad_masks_that_lack) {
    static const char entry[] = ",\n{\"anomaly_class\": \"AK\", \"image_path\": \"NG/AK/S0001/%c.jpg\", "
                                "\"mask_path\": %s}";
    static const char *const masks[] = {"null", "\"NG/c_ground_truth.png\"",
                                        "\"NG/AK/S0001/a_ground_truth.png\"",
                                        "\"NG/AK/S0001/a_ground_truth.png\""};
    char text[4096];
    EadDataset dataset;
    EadDatasetSpec spec = spec_of("real_iad", SCRATCH "realiad", "mint");
    make_real_iad();
    size_t used = (size_t)snprintf(text, sizeof text, "%.*s", (int)strlen(real_iad_json) - 2, real_iad_json);
    for (int i = 0; i < 4; i++) {
        char path[256];
        used += (size_t)snprintf(text + used, sizeof text - used, entry, "bcde"[i], masks[i]);
        snprintf(path, sizeof path, "cd " SCRATCH "realiad/realiad_256/mint/NG/AK/S0001 && cp a.jpg %c.jpg",
                 "bcde"[i]);
        shell_ok(path);
    }
    snprintf(text + used, sizeof text - used, "]}");
    write_text(SCRATCH "realiad/realiad_jsons/mint.json", text);
    ASSERT_OK(ead_dataset_open(&spec, &dataset));
    ASSERT_OK(ead_dataset_check_tests(&dataset, NULL, false));
    ck_assert(dataset.test_count == 6 && dataset.doubts.count == 2);
    assert_contains(dataset.doubts.items[0], "1 picture is no part of the layout, and not used: ");
    assert_contains(dataset.doubts.items[0], "OK/S0003 (1)");
    assert_contains(dataset.doubts.items[1], "2 of 5 masks are missing or cannot be used");
    assert_contains(dataset.doubts.items[1], "NG/AK/S0001/b.jpg: has no mask, ");
    assert_contains(dataset.doubts.items[1], "c.jpg: has no mask; it should be " SCRATCH
                                             "realiad/realiad_256/mint/NG/c_ground_truth.png");
    ead_dataset_free(&dataset);
}
END_TEST

START_TEST(real_iad_errors) {
    static const struct {
        const char *from, *to, *message;
        EadStatus status;
    } cases[] = {
        {"\"OK/S0001/b.jpg\"", "\"OK/S0001/c.jpg\"",
         "mint.json: 1 row is wrong: train entry 2: no file " SCRATCH
         "realiad/realiad_256/mint/OK/S0001/c.jpg",
         EAD_BAD_FILE},
        {"\"OK/S0001/b.jpg\"", "\"../b.jpg\"", "train entry 2: image_path is no path below", EAD_BAD_FILE},
        {"\"AK\"", "7", "mint.json: 1 row is wrong: test entry 2: anomaly_class is no text", EAD_BAD_FILE},
        {"b.jpg\"", "/b\", \"anomaly_class\": 0",
         "mint.json: 1 row is wrong: train entry 2: anomaly_class is no text", EAD_BAD_FILE},
        {"\"normal_class\"", "\"good\"", "meta.normal_class must be a text", EAD_BAD_FILE},
        {"\"mint/\"", "\"pint/\"", "no images of category \"mint\" in any of the folders realiad_1024|",
         EAD_IO},
        {"\"test\"", "\"probe\"", "mint.json: test must be a list of images", EAD_BAD_FILE},
        {"{\"meta\"", "[\"meta\"", "mint.json:1: ", EAD_BAD_FILE},
    };
    EadDataset dataset;
    EadDatasetSpec spec = spec_of("real_iad", SCRATCH "realiad", "mint");
    make_real_iad();
    ASSERT_FAILS(ead_dataset_open(&spec, &dataset), EAD_IO, "realiad: no folder realiad_jsons");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[2048];
        const char *at = strstr(real_iad_json, cases[i].from);
        ck_assert_ptr_nonnull(at);
        snprintf(text, sizeof text, "%.*s%s%s", (int)(at - real_iad_json), real_iad_json, cases[i].to,
                 at + strlen(cases[i].from));
        write_text(SCRATCH "realiad/realiad_jsons/mint.json", text);
        ASSERT_FAILS(ead_dataset_open(&spec, &dataset), cases[i].status, cases[i].message);
    }
    spec.category = "zipper";
    ASSERT_FAILS(ead_dataset_open(&spec, &dataset), EAD_BAD_ARGUMENT,
                 "has no category \"zipper\", though the full data set has it; dataset.category can be mint");
}
END_TEST

/* ---- folders as people make them ---- */

START_TEST(names_of_good_images_and_of_masks) {
    static const char *const files[] = {"x/train/good/0.png",
                                        "x/train/good/1.png",
                                        "x/test/Ok/0.png",
                                        "x/test/nok/0.png",
                                        "x/test/nok/1.png",
                                        "x/test/nok/10.png",
                                        "!x/ground_truth/ok/0.png",
                                        "x/ground_truth/nok/0_MASK.PNG",
                                        "x/ground_truth/nok/1_GT.bmp",
                                        "x/ground_truth/Nok/10.png",
                                        NULL};
    static const ExpectedTest expected[] = {{"test/Ok/0.png", "good", "ground_truth/ok/0.png"},
                                            {"test/nok/0.png", "nok", "ground_truth/nok/0_MASK.PNG"},
                                            {"test/nok/1.png", "nok", "ground_truth/nok/1_GT.bmp"},
                                            {"test/nok/10.png", "nok", "ground_truth/Nok/10.png"}};
    EadDataset dataset;
    EadDatasetSpec spec = spec_of("mvtec_ad", SCRATCH "names", "x");
    make_tree("names", files);
    CHECK(spec, 1, 1, expected);
    write_mask(SCRATCH "names/x/ground_truth/ok/0.png", true);
    ASSERT_OK(ead_dataset_open(&spec, &dataset));
    ASSERT_OK(ead_dataset_check_tests(&dataset, NULL, false)); /* it costs itself */
    ck_assert_int_eq(dataset.doubts.count, 1);
    ck_assert_str_eq(
        dataset.doubts.items[0],
        "1 of 1 masks of good images are missing or cannot be used; the images count as good: " SCRATCH
        "names/x/ground_truth/ok/0.png: marks a defect in " SCRATCH "names/x/test/Ok/0.png, a normal image");
    for (int i = 0; i < 4; i++) ck_assert(dataset.test[i].anomalous == (dataset.test[i].mask_path != NULL));
    ead_dataset_free(&dataset);
    shell_ok("rm " SCRATCH "names/x/ground_truth/Nok/10.png"); /* half of them */
    ASSERT_OK(ead_dataset_open(&spec, &dataset));
    ASSERT_FAILS(ead_dataset_check_tests(&dataset, NULL, false), EAD_BAD_FILE,
                 "ground_truth/ok/0.png: marks a defect in " SCRATCH "names/x/test/Ok/0.png, a normal image");
    ead_dataset_free(&dataset);
}
END_TEST

/* Cases of a layout's folders need not agree, as those of defects need not; the very name goes before. */
START_TEST(cases_of_folders) {
    static const char *const ad[] = {"x/Train/Good/0.png", "x/Train/Good/1.png", "x/TEST/Good/0.png",
                                     "x/TEST/hole/0.png", NULL};
    static const char *const both[] = {"x/train/GOOD/0.png", "x/train/good/0.png", "x/train/good/1.png",
                                       "x/test/good/0.png", NULL};
    static const char *const bt[] = {"x/train/OK/0.png", "x/train/OK/1.png", "x/test/OK/0.png", NULL};
    static const char *const ad2[] = {"x/train/good/0.png", "x/Validation/Good/1.png",
                                      "x/Test_Public/good/0.png", NULL};
    static const char *const sdd2[] = {"Train/0.png", "!Train/0_GT.png", "Train/1.png", "!Train/1_GT.png",
                                       "Test/2.png",  "Test/2_GT.png",   NULL};
    static const ExpectedTest of_ad[] = {{"TEST/Good/0.png", "good", NULL},
                                         {"TEST/hole/0.png", "hole", "x/Ground_Truth/hole/0_mask.png"}};
    static const ExpectedTest of_both[] = {{"test/good/0.png", "good", NULL}};
    static const ExpectedTest of_bt[] = {{"test/OK/0.png", "good", NULL}};
    static const ExpectedTest of_ad2[] = {{"Test_Public/good/0.png", "good", NULL}};
    static const ExpectedTest of_sdd2[] = {{"Test/2.png", "defect", "Test/2_GT.png"}};
    EadDataset dataset;
    make_tree("cases", ad);
    write_mask(SCRATCH "cases/x/Ground_Truth/hole/0_mask.png", true);
    CHECK(spec_of("mvtec_ad", SCRATCH "cases", "x"), 1, 1, of_ad);
    EadDatasetSpec spec = spec_of("mvtec_ad", SCRATCH "cases", "x");
    ASSERT_OK(ead_dataset_open(&spec, &dataset));
    ck_assert_int_eq(dataset.doubts.count, 0);
    ead_dataset_free(&dataset);
    spec.type = "btad";
    ASSERT_FAILS(ead_dataset_open(&spec, &dataset), EAD_IO,
                 "x: no folder train/ok, which dataset.type=btad needs; folders there: Ground_Truth, TEST, "
                 "Train; this is the layout of dataset.type=mvtec_ad");
    make_tree("cases", both);
    CHECK(spec_of("mvtec_ad", SCRATCH "cases", "x"), 1, 1, of_both);
    make_tree("cases", bt);
    CHECK(spec_of("btad", SCRATCH "cases", "x"), 1, 1, of_bt);
    make_tree("cases", ad2);
    CHECK(spec_of("mvtec_ad_2", SCRATCH "cases", "x"), 1, 1, of_ad2);
    make_tree("cases", sdd2);
    CHECK(spec_of("kolektor_sdd2", SCRATCH "cases", ""), 1, 1, of_sdd2);
}
END_TEST

START_TEST(without_masks) {
    static const char *const files[] = {"x/train/good/0.png", "x/train/good/1.png", "x/test/good/0.png",
                                        "x/test/hole/0.png", NULL};
    static const ExpectedTest expected[] = {{"test/good/0.png", "good", NULL},
                                            {"test/hole/0.png", "hole", NULL}};
    EadDataset dataset;
    EadDatasetSpec spec = spec_of("mvtec_ad", SCRATCH "bare", "x");
    make_tree("bare", files);
    CHECK(spec, 1, 1, expected);
    make_folders(SCRATCH "bare/x/ground_truth/hole/");
    CHECK(spec, 1, 1, expected);
    ASSERT_OK(ead_dataset_open(&spec, &dataset));
    ck_assert(!dataset.has_masks && dataset.doubts.count == 1);
    ck_assert_str_eq(dataset.doubts.items[0], "no masks of the test images: only image metrics are computed");
    ead_dataset_free(&dataset);
    shell_ok("rm -r " SCRATCH "bare/x/train");
    ASSERT_FAILS(ead_dataset_open(&spec, &dataset), EAD_IO, "bare/x: no folder train/good");
    spec.test_only = true;
    ASSERT_OK(ead_dataset_open(&spec, &dataset));
    ck_assert_int_eq(dataset.test_count, 2);
    ead_dataset_free(&dataset);
}
END_TEST

/* Masks in the folder of their images, and an image without an extension in its name. */
START_TEST(masks_among_images) {
    static const char *const files[] = {"ok/0.png", "ok/1.png",        "bad/7.png", "bad/7_GT.png",
                                        "bad/8",    "bad/8_label.png", NULL};
    static const ExpectedTest expected[] = {{"bad/7.png", "defect", "bad/7_GT.png"},
                                            {"bad/8", "defect", "bad/8_label.png"}};
    EadDatasetSpec spec = spec_of("folder", SCRATCH "among", "");
    make_tree("among", files);
    spec.normal_folder = "ok";
    spec.defect_folder = "bad";
    spec.mask_folder = "bad/";
    CHECK(spec, 1, 1, expected);
}
END_TEST

/* A file beside a mask that could be one, too: the name that the layout documents goes before, the other is told. */
static void check_second(EadDatasetSpec spec, const char *mask, const char *second, int masks) {
    EadDataset dataset;
    char line[256];
    ASSERT_OK(ead_dataset_open(&spec, &dataset));
    for (int i = 0; i < dataset.test_count; i++)
        if (dataset.test[i].anomalous) ck_assert(ends_with(dataset.test[i].mask_path, mask));
    ck_assert_int_eq(dataset.doubts.count, 1);
    snprintf(line, sizeof line, "1 of %d masks are ignored, their images have another one whose name", masks);
    assert_contains(dataset.doubts.items[0], line);
    ck_assert(ends_with(dataset.doubts.items[0], second));
    ead_dataset_free(&dataset);
}

START_TEST(the_documented_mask_counts) {
    static const char *const ad[] = {"x/train/good/0.png",          "x/train/good/1.png",
                                     "x/test/bad/000.png",          "x/ground_truth/bad/000_mask.png",
                                     "!x/ground_truth/bad/000.png", NULL};
    static const char *const ad2[] = {"x/train/good/0.png",
                                      "x/train/good/1.png",
                                      "x/validation/good/0.png",
                                      "x/test_public/bad/000.png",
                                      "!x/test_public/ground_truth/bad/000.bmp",
                                      "x/test_public/ground_truth/bad/000_mask.png",
                                      NULL};
    static const char *const bt[] = {"x/train/ok/0.bmp",
                                     "x/train/ok/1.bmp",
                                     "x/test/ko/000.bmp",
                                     "x/ground_truth/ko/000.png",
                                     "!x/ground_truth/ko/000_mask.png",
                                     NULL};
    static const char *const flat[] = {
        "train/0.png",        "train/1.png", "test/ok/a.png", "test/bad/000.png", "!masks/000.png",
        "masks/000_mask.png", NULL};
    static const char *const sdd2[] = {
        "train/0.png",  "!train/0_GT.png",  "train/1.png",     "!train/1_GT.png",
        "test/000.png", "!test/000_GT.PNG", "test/000_GT.bmp", NULL};
    make_tree("second", ad);
    check_second(spec_of("mvtec_ad", SCRATCH "second", "x"), "bad/000_mask.png", "bad/000.png", 2);
    check_second(spec_of("mpdd", SCRATCH "second", "x"), "bad/000_mask.png", "bad/000.png", 2);
    check_second(spec_of("visa", SCRATCH "second", "x"), "bad/000.png", "bad/000_mask.png", 2);
    make_tree("second", ad2);
    check_second(spec_of("mvtec_ad_2", SCRATCH "second", "x"), "bad/000_mask.png", "bad/000.bmp", 2);
    make_tree("second", bt);
    check_second(spec_of("btad", SCRATCH "second", "x"), "ko/000.png", "ko/000_mask.png", 2);
    make_tree("second", flat);
    check_second(spec_of("folder", SCRATCH "second", ""), "masks/000_mask.png", "masks/000.png", 2);
    make_tree("second", sdd2);
    check_second(spec_of("kolektor_sdd2", SCRATCH "second", ""), "x", "test/000_GT.bmp", 2);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("dataset_published");
    TCase *tests = tcase_create("dataset_published");
    tcase_add_test(tests, btad);
    tcase_add_test(tests, mpdd);
    tcase_add_test(tests, mvtec_ad_2);
    tcase_add_test(tests, real_iad);
    tcase_add_test(tests, real_iad_with_a_mark);
    tcase_add_test(tests, real_iad_errors);
    tcase_add_test(tests, real_iad_masks_that_lack);
    tcase_add_test(tests, names_of_good_images_and_of_masks);
    tcase_add_test(tests, cases_of_folders);
    tcase_add_test(tests, without_masks);
    tcase_add_test(tests, masks_among_images);
    tcase_add_test(tests, the_documented_mask_counts);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
