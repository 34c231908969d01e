/* Pictures that a layout has no place for are counted and named, at every level of every tree. */
#define SCRATCH "build/scratch/dataset_unused/"
#include "test/data/data_trees.h"

#define HERE SCRATCH "x/"

static const struct {
    const char *type, *category;
    const char *files[20];
    const char *doubt; /* NULL: none */
} trees[] = {
    {"mvtec_ad",
     "c",
     {"c/train/good/0.png", "c/train/good/1.png", "c/train/good/deep/2.png", "c/train/good_session2/0.png",
      "c/train/good_session2/1.png", "c/train/bad/a/0.png", "c/train/bad/b/0.png", "c/train/loose.png",
      "c/loose2.png", "c/test/good/0.png", "c/test/loose3.png", "c/validation/good/0.png",
      "c/ground_truth/loose3_mask.png", "other/train/bad/0.png"},
     "7 pictures are no part of the layout, and not used: " HERE "c/loose2.png, " HERE
     "c/train/bad (2), " HERE "c/train/good_session2 (2), " HERE "c/train/loose.png, " HERE
     "c/validation (1)"},
    {"mvtec_ad",
     "c",
     {"c/train/good/0.png", "c/train/good/1.png", "c/test/good/0.png", "c/test/hole/0.png",
      "c/test/ground_truth/hole/0_mask.png"},
     NULL},
    {"mvtec_ad", "c", {"c/train/good/0.png", "c/train/good/1.png", "c/ground_truth/hole/0_mask.png"}, NULL},
    {"btad",
     "01",
     {"01/train/ok/0.png", "01/train/ok/1.png", "01/train/ok2/0.png", "01/test/ok/0.png"},
     "1 picture is no part of the layout, and not used: " HERE "01/train/ok2 (1)"},
    {"mvtec_ad_2",
     "c",
     {"c/train/good/0.png", "c/train/good/1.png", "c/validation/good/0.png", "c/validation/bad/0.png",
      "c/test_public/good/0.png", "c/test_private/0.png", "c/test/0.png"},
     "2 pictures are no part of the layout, and not used: " HERE "c/test (1), " HERE "c/validation/bad (1)"},
    {"visa",
     "c",
     {"c/train/good/0.png", "c/train/good/1.png", "c/test/good/0.png", "c/train/bad/0.png"},
     "1 picture is no part of the layout, and not used: " HERE "c/train/bad (1)"},
    {"kolektor_sdd2",
     "",
     {"train/0.png", "!train/0_GT.png", "train/1.png", "!train/1_GT.png", "test/2.png", "test/2_GT.png",
      "val/3.png", "!val/3_GT.png", "loose.png"},
     "3 pictures are no part of the layout, and not used: " HERE "loose.png, " HERE "val (2)"},
    {"kolektor_sdd",
     "",
     {"kos01/Part0.jpg", "!kos01/Part0_label.bmp", "kos02/Part0.jpg", "!kos02/Part0_label.bmp"},
     NULL},
    {"folder",
     "",
     {"train/0.png", "train/1.png", "test/ok/2.png", "test/bad/3.png", "masks/bad/3.png", "misc/a/4.png",
      "misc/b/5.png", "6.png"},
     "3 pictures are no part of the layout, and not used: " HERE "6.png, " HERE "misc (2)"},
    {"folder",
     "",
     {"inner/train/ok/0.png", "inner/train/ok/1.png", "inner/train/bad/2.png", "inner/train/3.png",
      "inner/val/ok/4.png", "inner/val/nok/5.png", "inner/test/ok/6.png"},
     "3 pictures are no part of the layout, and not used: " HERE "inner/train/3.png, " HERE
     "inner/train/bad (1), " HERE "inner/val/nok (1)"},
    {"folder", "", {"train/ok/0.png", "train/ok/1.png", "val/2.png", "test/ok/3.png"}, NULL},
    {"folder", "", {"ok/0.png", "ok/1.png", "bad/2.png", "masks/bad/2.png"}, NULL},
    {"folder", "", {"0.png", "1.png", "2024/2.png"}, NULL},
};

static void assert_doubt(EadDatasetSpec spec, const char *doubt) {
    EadDataset dataset;
    ASSERT_OK(ead_dataset_open(&spec, &dataset));
    int found = 0;
    for (int i = 0; i < dataset.doubts.count; i++) {
        if (!strstr(dataset.doubts.items[i], "no part of the layout")) continue;
        found++;
        ck_assert_msg(doubt != NULL, "%s", dataset.doubts.items[i]);
        ck_assert_str_eq(dataset.doubts.items[i], doubt);
    }
    ck_assert_int_eq(found, doubt != NULL);
    ead_dataset_free(&dataset);
}

START_TEST(what_has_no_place_is_told) {
    make_tree("x", trees[_i].files);
    EadDatasetSpec spec = spec_of(trees[_i].type, SCRATCH "x", trees[_i].category);
    assert_doubt(spec, trees[_i].doubt);
}
END_TEST

/* A test leaves the images to train on out; what no run uses is told there, too. */
START_TEST(tests_tell_it_too) {
    static const char *const tree[] = {"c/train/good/0.png", "c/train/bad/1.png", "c/test/good/2.png", NULL};
    static const char *const pairs[] = {"train/0.png",    "!train/0_GT.png", "test/1.png",
                                        "!test/1_GT.png", "val/2.png",       NULL};
    static const char *const found[] = {"train/0.png", "val/1.png", "test/ok/2.png", "misc/3.png", NULL};
    make_tree("x", tree);
    EadDatasetSpec spec = spec_of("mvtec_ad", SCRATCH "x", "c");
    spec.test_only = true;
    assert_doubt(spec, "1 picture is no part of the layout, and not used: " HERE "c/train/bad (1)");
    make_tree("x", pairs);
    spec.type = "kolektor_sdd2";
    assert_doubt(spec, "1 picture is no part of the layout, and not used: " HERE "val (1)");
    make_tree("x", found);
    spec.type = "folder";
    assert_doubt(spec, "1 picture is no part of the layout, and not used: " HERE "misc (1)");
    spec.path = SCRATCH "x/";
    assert_doubt(spec, "1 picture is no part of the layout, and not used: " HERE "misc (1)");
}
END_TEST

/* Pictures of formats that are not read, and hidden ones, are pictures; other files are none. */
START_TEST(pictures_that_are_not_read_count) {
    static const char *const files[] = {"c/train/good/0.png", "c/train/good/1.png", "c/test/good/2.png",
                                        "c/old/.3.png", NULL};
    make_tree("x", files);
    write_text(HERE "c/old/4.gif", "GIF89a\1");
    write_text(HERE "c/readme.txt", "text");
    assert_doubt(spec_of("mvtec_ad", SCRATCH "x", "c"),
                 "2 pictures are no part of the layout, and not used: " HERE "c/old (2)");
}
END_TEST

/* Lists name pictures one by one; those of other categories have their places, too. */
START_TEST(pictures_that_no_entry_names) {
    static const char *const visa[] = {"candle/Data/Images/Normal/0.png",
                                       "candle/Data/Images/Normal/1.png",
                                       "candle/Data/Images/Normal/2.png",
                                       "candle/Data/Images/Anomaly/3.png",
                                       "candle/Data/Masks/Anomaly/3.png",
                                       "candle/Data/Masks/Anomaly/4.png",
                                       "candle/Data/Images/Anomaly/4.png",
                                       "candle/extra/5.png",
                                       "candle/extra/6.png",
                                       "fryum/Data/Images/Normal/0.png",
                                       "fryum/Data/Images/Normal/9.png",
                                       NULL};
    static const char *const flat[] = {"images/c0.png", "images/c1.png", "images/c2.png",
                                       "images/f0.png", "images/x.png",  NULL};
    static const char *const iad[] = {"realiad_1024/nut/OK/S1/0.jpg", "realiad_1024/nut/OK/S1/1.jpg",
                                      "realiad_1024/nut/OK/S1/2.jpg", "realiad_1024/nut/OK/S1/4.jpg",
                                      "realiad_1024/nut/NG/S2/3.jpg", "realiad_1024/nut/NG/S2/3.png",
                                      "realiad_1024/nut/NG/S2/5.png", "realiad_1024/nut/old/6.jpg",
                                      "realiad_1024/fan/OK/7.jpg",    NULL};
    static const char head[] = "object,split,label,image,mask\n";
    char rows[1024];
    for (int test_only = 0; test_only < 2; test_only++) {
        make_tree("x", visa);
        snprintf(rows, sizeof rows, "%s%s", head,
                 "candle,train,normal,candle/Data/Images/Normal/0.png,\n"
                 "candle,train,normal,candle//Data/./Images/Normal/1.png,\n"
                 "candle,test,normal,candle/Data/Images/Normal/2.png,\n"
                 "candle,test,anomaly,candle/Data/Images/Anomaly/3.png,candle/Data/Masks/Anomaly/3.png\n"
                 "fryum,train,normal,fryum/Data/Images/Normal/0.png,\n");
        make_folders(HERE "split_csv/");
        write_text(HERE "split_csv/1cls.csv", rows);
        EadDatasetSpec spec = spec_of("visa", SCRATCH "x", "candle");
        spec.test_only = test_only;
        assert_doubt(spec, "4 pictures are no part of the layout, and not used: " HERE
                           "candle/Data/Images/Anomaly/4.png, " HERE "candle/Data/Masks/Anomaly/4.png, " HERE
                           "candle/extra (2)");
        make_tree("x", flat);
        snprintf(rows, sizeof rows, "%s%s", head,
                 "c,train,normal,images/c0.png,\nc,train,normal,images/c1.png,\n"
                 "c,test,normal,./images/c2.png,\nf,test,normal,images/f0.png,\n");
        make_folders(HERE "split_csv/");
        write_text(HERE "split_csv/1cls.csv", rows);
        spec.category = "c";
        assert_doubt(spec, "1 picture is no part of the layout, and not used: " HERE "images/x.png");
        make_tree("x", iad);
        make_folders(HERE "realiad_jsons/");
        write_text(HERE "realiad_jsons/nut.json",
                   "{\"meta\": {\"normal_class\": \"OK\", \"prefix\": \"nut/\"}, \"train\": [\n"
                   "{\"anomaly_class\": \"OK\", \"image_path\": \"OK/S1/0.jpg\", \"mask_path\": null},\n"
                   "{\"anomaly_class\": \"OK\", \"image_path\": \"OK/S1/1.jpg\", \"mask_path\": null}],\n"
                   "\"test\": [{\"anomaly_class\": \"OK\", \"image_path\": \"OK/S1/2.jpg\"},\n"
                   "{\"anomaly_class\": \"AK\", \"image_path\": \"NG/S2/3.jpg\", \"mask_path\": "
                   "\"NG/S2/3.png\"}]}\n");
        spec.type = "real_iad", spec.category = "nut";
        assert_doubt(spec, "3 pictures are no part of the layout, and not used: " HERE
                           "realiad_1024/nut/NG/S2/5.png, " HERE "realiad_1024/nut/OK/S1/4.jpg, " HERE
                           "realiad_1024/nut/old (1)");
    }
}
END_TEST

int main(void) {
    Suite *suite = suite_create("dataset_unused");
    TCase *tests = tcase_create("dataset_unused");
    tcase_add_loop_test(tests, what_has_no_place_is_told, 0, (int)(sizeof trees / sizeof *trees));
    tcase_add_test(tests, tests_tell_it_too);
    tcase_add_test(tests, pictures_that_no_entry_names);
    tcase_add_test(tests, pictures_that_are_not_read_count);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
