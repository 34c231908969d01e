/* What is said of a data set that has another layout than that of its type: the one it has, or the nearest and what it
 * lacks. */
#define SCRATCH "build/scratch/dataset_nearest/"
#include "test/data/data_trees.h"

START_TEST(the_nearest_layout_is_named) {
    static const char *const as_btad[] = {"01/train/ok/0.png", "01/test/ok/0.png", NULL};
    static const char *const ad2[] = {"can/train/good/0.png", "can/train/good/1.png",
                                      "can/validation/good/0.png", "can/test_public/good/0.png", NULL};
    static const char *const half[] = {"x/training/fine/0.png", "x/test/fine/0.png", NULL};
    static const char *const sdd[] = {"kos01/Part0.jpg", "!kos01/Part0_label.bmp", NULL};
    EadDataset dataset;
    EadDatasetSpec spec = spec_of("mvtec_ad", SCRATCH "near", "01");
    make_tree("near", as_btad);
    ASSERT_FAILS(ead_dataset_open(&spec, &dataset), EAD_IO,
                 "near/01: no folder train/good, which dataset.type=mvtec_ad needs; folders there: test, "
                 "train; this is "
                 "the layout of dataset.type=btad");
    spec.path = SCRATCH "near/01";
    spec.type = "btad";
    ASSERT_FAILS(ead_dataset_open(&spec, &dataset), EAD_BAD_ARGUMENT,
                 "near/01: is a category itself; set dataset.path=" SCRATCH "near and dataset.category=01");
    make_tree("near", ad2);
    spec = spec_of("mvtec_ad", SCRATCH "near", "can");
    ASSERT_FAILS(ead_dataset_open(&spec, &dataset), EAD_IO, "this is the layout of dataset.type=mvtec_ad_2");
    make_tree("near", half);
    spec.category = "x";
    ASSERT_FAILS(ead_dataset_open(&spec, &dataset), EAD_IO,
                 "the nearest layout is that of dataset.type=mvtec_ad, which lacks train/good");
    make_tree("near", sdd);
    ASSERT_FAILS(ead_dataset_open(&spec, &dataset), EAD_BAD_ARGUMENT,
                 "has no category \"x\"; this is the layout of dataset.type=kolektor_sdd");
}
END_TEST

static const char visa_csv[] = "object,split,label,image,mask\n"
                               "candle,train,normal,candle/Data/Images/Normal/0.JPG,\n"
                               "candle,train,normal,candle/Data/Images/Normal/1.JPG,\n"
                               "candle,test,anomaly,candle/Data/Images/Anomaly/0.JPG,\n";

/* One whole tree of each layout, with its category. */
static const struct {
    const char *type, *category;
    const char *files[10];
    const char *text_path, *text; /* a file that is no picture */
} layouts[] = {
    {"mvtec_ad",
     "x",
     {"x/train/good/0.png", "x/train/good/1.png", "x/test/hole/0.png", "x/ground_truth/hole/0_mask.png"},
     NULL,
     NULL},
    {"mvtec_ad_2",
     "x",
     {"x/train/good/0.png", "x/train/good/1.png", "x/validation/good/0.png", "x/test_public/bad/0.png",
      "x/test_public/ground_truth/bad/0_mask.png"},
     NULL,
     NULL},
    {"mvtec_loco",
     "x",
     {"x/train/good/0.png", "x/train/good/1.png", "x/validation/good/0.png", "x/test/logical_anomalies/0.png",
      "x/ground_truth/logical_anomalies/0/000.png"},
     "x/defects_config.json",
     "[{\"defect_name\": \"a\", \"pixel_value\": 255, \"saturation_threshold\": 1, "
     "\"relative_saturation\": true}]"},
    {"visa",
     "candle",
     {"candle/Data/Images/Normal/0.JPG", "candle/Data/Images/Normal/1.JPG",
      "candle/Data/Images/Anomaly/0.JPG"},
     "split_csv/1cls.csv",
     visa_csv},
    {"btad",
     "01",
     {"01/train/ok/0.png", "01/train/ok/1.png", "01/test/ko/0.png", "01/ground_truth/ko/0.png"},
     NULL,
     NULL},
    {"kolektor_sdd",
     "none",
     {"kos01/Part0.jpg", "!kos01/Part0_label.bmp", "kos02/Part0.jpg", "!kos02/Part0_label.bmp",
      "kos02/Part1.jpg", "kos02/Part1_label.bmp"},
     NULL,
     NULL},
    {"kolektor_sdd2",
     "none",
     {"train/0.png", "!train/0_GT.png", "train/1.png", "!train/1_GT.png", "test/2.png", "test/2_GT.png"},
     NULL,
     NULL},
    {"real_iad",
     "mint",
     {"realiad_256/mint/OK/0.jpg", "realiad_256/mint/OK/1.jpg", "realiad_256/mint/NG/2.jpg"},
     "realiad_jsons/mint.json",
     "{\"meta\": {\"normal_class\": \"OK\", \"prefix\": \"mint/\"}, \"train\": ["
     "{\"anomaly_class\": \"OK\", \"image_path\": \"OK/0.jpg\", \"mask_path\": null}, "
     "{\"anomaly_class\": \"OK\", \"image_path\": \"OK/1.jpg\", \"mask_path\": null}], \"test\": ["
     "{\"anomaly_class\": \"AK\", \"image_path\": \"NG/2.jpg\", \"mask_path\": null}]}"},
};
enum { LAYOUTS = sizeof layouts / sizeof *layouts };

static bool is(const char *type, const char *name) {
    return strcmp(type, name) == 0;
}

/* Types that read a tree though it is another's: VisA's has two layouts, and folders are found by their names. */
static bool may_read(const char *type, const char *tree) {
    return is(type, tree) || (is(type, "visa") && is(tree, "mvtec_ad")) ||
           (is(type, "folder") && (is(tree, "mvtec_ad") || is(tree, "mvtec_ad_2") || is(tree, "btad")));
}

START_TEST(each_layout_is_told_from_every_other) {
    EadDataset dataset;
    char path[256], end[100];
    make_tree("tree", layouts[_i].files);
    if (layouts[_i].text) {
        snprintf(path, sizeof path, SCRATCH "tree/%s", layouts[_i].text_path);
        make_folders(path);
        write_text(path, layouts[_i].text);
    }
    snprintf(end, sizeof end, "; this is the layout of dataset.type=%s", layouts[_i].type);
    for (int k = 0; k <= LAYOUTS; k++) {
        const char *type = k < LAYOUTS ? layouts[k].type : "folder";
        EadDatasetSpec spec = spec_of(type, SCRATCH "tree", layouts[_i].category);
        EadStatus status = ead_dataset_open(&spec, &dataset);
        ck_assert_msg((status == EAD_OK) == may_read(type, layouts[_i].type), "%s as %s: %s",
                      layouts[_i].type, type, ead_error_message());
        if (status == EAD_OK)
            ead_dataset_free(&dataset);
        else
            ck_assert_msg(ends_with(ead_error_message(), end), "as %s: %s", type, ead_error_message());
    }
}
END_TEST

/* What lacks is named where no layout is whole, of sets without categories too; the key where nothing is there. */
START_TEST(what_lacks_is_named) {
    static const char *const half[] = {"x/train/good/0.png", "x/train/good/1.png", "x/validation/good/0.png",
                                       "x/test/good/0.png", NULL};
    EadDataset dataset;
    make_tree("half", half);
    EadDatasetSpec spec = spec_of("mvtec_loco", SCRATCH "half", "x");
    ASSERT_FAILS(
        ead_dataset_open(&spec, &dataset), EAD_IO,
        "half/x: no file defects_config.json, which dataset.type=mvtec_loco needs; folders there: test, "
        "train, validation; the nearest layout is that of dataset.type=mvtec_loco, which lacks "
        "defects_config.json;");
    shell_ok("rm -r " SCRATCH "half/x/test");
    ASSERT_FAILS(
        ead_dataset_open(&spec, &dataset), EAD_IO,
        "the nearest layout is that of dataset.type=mvtec_loco, which lacks test, defects_config.json;");
    spec.type = "kolektor_sdd2";
    ASSERT_FAILS(ead_dataset_open(&spec, &dataset), EAD_IO,
                 "the nearest layout is that of dataset.type=mvtec_");
    static const char *const trained[] = {"x/train/good/0.png", "x/train/good/1.png", NULL};
    make_tree("half", trained); /* one part is there of several layouts; the nearest lacks the fewest */
    for (int i = 0; i < 3; i++) {
        spec.type = (const char *const[]){"mvtec_loco", "mvtec_ad_2", "btad"}[i];
        ASSERT_FAILS(ead_dataset_open(&spec, &dataset), EAD_IO,
                     "the nearest layout is that of dataset.type=mvtec_ad, which lacks test;");
    }
    spec.path = SCRATCH "nowhere";
    ASSERT_FAILS(ead_dataset_open(&spec, &dataset), EAD_IO, "dataset.path: " SCRATCH "nowhere: ");
    write_text(SCRATCH "file", "text");
    spec.path = SCRATCH "file";
    ASSERT_FAILS(ead_dataset_open(&spec, &dataset), EAD_BAD_FILE, "dataset.path: " SCRATCH "file: ");
}
END_TEST

/* A data set without categories, or with them, that was named as a category of the folder above it. */
START_TEST(data_sets_named_as_categories) {
    static const char *const pairs[] = {"sdd2/train/0.png", "!sdd2/train/0_GT.png", "sdd2/test/1.png",
                                        "sdd2/test/1_GT.png", NULL};
    static const char *const items[] = {"sdd/kos01/Part0.jpg", "!sdd/kos01/Part0_label.bmp", "x/train/0.png",
                                        NULL};
    EadDataset dataset;
    EadDatasetSpec spec = spec_of("mvtec_ad", SCRATCH "named", "sdd2");
    make_tree("named", pairs);
    ASSERT_FAILS(ead_dataset_open(&spec, &dataset), EAD_IO,
                 "folders there: test, train; " SCRATCH "named/sdd2 has the layout of "
                 "dataset.type=kolektor_sdd2; set dataset.path to it");
    spec.type = "mvtec_loco";
    ASSERT_FAILS(ead_dataset_open(&spec, &dataset), EAD_IO,
                 "named/sdd2 has the layout of dataset.type=kolektor_sdd2; set dataset.path to it");
    make_tree("named", items);
    spec.category = "sdd";
    ASSERT_FAILS(ead_dataset_open(&spec, &dataset), EAD_IO,
                 "named/sdd has the layout of dataset.type=kolektor_sdd; set dataset.path to it");
    spec.type = "mvtec_ad", spec.category = "x"; /* what lies beside it says nothing of it */
    ASSERT_FAILS(ead_dataset_open(&spec, &dataset), EAD_IO, "no folder train/good");
    ck_assert_msg(!strstr(ead_error_message(), "kolektor"), "%s", ead_error_message());
    make_tree("named", (const char *const[]){"visa/candle/0.png", NULL});
    make_folders(SCRATCH "named/visa/split_csv/");
    write_text(SCRATCH "named/visa/split_csv/1cls.csv", visa_csv);
    spec.category = "visa";
    ASSERT_FAILS(ead_dataset_open(&spec, &dataset), EAD_IO,
                 "named/visa has the layout of dataset.type=visa; set dataset.path to it");
}
END_TEST

/* Without a category: what the folder is, and what to set. */
static const struct {
    const char *type;
    const char *files[8];
    const char *path, *message;
} named[] = {
    {"mvtec_ad",
     {"c/train/good/0.png", "c/test/good/1.png"},
     "c",
     "named/c: is a category itself; set dataset.path=" SCRATCH "named and dataset.category=c"},
    {"mvtec_ad",
     {"c/Train/Good/0.png"},
     "c",
     "named/c: is a category itself; set dataset.path=" SCRATCH "named and dataset.category=c"},
    {"mpdd",
     {"c/train/good/0.png", "c/test/good/1.png"},
     "c/",
     "named/c/: is a category itself; set dataset.path=/"},
    {"mvtec_ad",
     {"01/train/ok/0.png", "01/test/ok/1.png"},
     "01",
     "named/01: is a category itself; set dataset.type=btad, dataset.path=" SCRATCH
     "named and dataset.category=01"},
    {"mvtec_ad",
     {"train/0.png", "!train/0_GT.png", "test/1.png", "test/1_GT.png"},
     "",
     "named has the layout of dataset.type=kolektor_sdd2; set that"},
    {"mvtec_loco",
     {"kos01/Part0.jpg", "!kos01/Part0_label.bmp"},
     "",
     "named has the layout of dataset.type=kolektor_sdd; set that"},
    {"mvtec_ad",
     {"ok/0.png", "nok/1.png"},
     "",
     "named holds folders named as dataset.type=folder takes them; set that"},
    {"btad",
     {"train/0.png", "test/bad/1.png"},
     "",
     "named holds folders named as dataset.type=folder takes them; set that"},
    {"mvtec_ad",
     {"c/train/good/0.png", "c/test/good/1.png"},
     "",
     "set it to a subfolder of " SCRATCH "named"},
};

START_TEST(without_a_category) {
    char path[256], start[300];
    snprintf(path, sizeof path, SCRATCH "named%s%s", *named[_i].path ? "/" : "", named[_i].path);
    make_tree("named", named[_i].files);
    ck_assert_int_eq(ead_dataset_no_category(named[_i].type, path), EAD_BAD_ARGUMENT);
    snprintf(start, sizeof start, "dataset.category is not set; ");
    ck_assert(strncmp(ead_error_message(), start, strlen(start)) == 0);
    assert_contains(ead_error_message(), named[_i].message);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("dataset_nearest");
    TCase *tests = tcase_create("dataset_nearest");
    tcase_add_test(tests, the_nearest_layout_is_named);
    tcase_add_loop_test(tests, each_layout_is_told_from_every_other, 0, LAYOUTS);
    tcase_add_test(tests, what_lacks_is_named);
    tcase_add_loop_test(tests, without_a_category, 0, (int)(sizeof named / sizeof *named));
    tcase_add_test(tests, data_sets_named_as_categories);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
