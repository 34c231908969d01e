/* The same file in two sets, under whatever names, and outputs among the images. */
#define S "build/scratch/test_overlap/"
#include "data/dataset/overlap.h"

#include "test/support/scratch.h"

static const EadDatasetSpec base = {
    .type = "folder", .path = S, .validation_fraction = 0.1, .normal_folder = "ok", .good_folder = "fine"};

static void make_scene(void) {
    shell_ok("rm -rf " S);
    for (int i = 0; i < 6; i++) {
        char path[64];
        snprintf(path, sizeof path, S "%s/%d.png", i < 4 ? "ok" : "fine", i);
        make_folders(path);
        write_noise_png(path, 8, 8, 3, (uint32_t)i);
    }
}

/* Opens it with the links that the command makes in S. */
static EadStatus open_with(const char *command, EadDataset *dataset) {
    char line[512];
    make_scene();
    snprintf(line, sizeof line, "cd " S " && %s", command);
    shell_ok(line);
    return ead_dataset_open(&base, dataset);
}

START_TEST(train_and_test_through_links) {
    static const char *const links[] = {"ln ok/2.png fine/hard.png", "ln -s ../ok/2.png fine/soft.png",
                                        "mv ok all; ln -s all ok; ln -s ../all/2.png fine/2.png",
                                        "mkdir x; ln -s ../ok fine/again"};
    for (size_t i = 0; i < sizeof links / sizeof *links; i++) {
        EadDataset dataset;
        ASSERT_FAILS(open_with(links[i], &dataset), EAD_BAD_ARGUMENT,
                     "is both an image to train on and a test image (" S "ok/");
    }
}
END_TEST

/* An equal picture in a file of its own is another image, and told. */
START_TEST(copies_are_told) {
    EadDataset dataset;
    ASSERT_OK(open_with("cp ok/2.png fine/copy.png; mkdir ok/deep; cp fine/4.png ok/deep/other.PNG; "
                        "cp ok/0.png ok/again.png",
                        &dataset));
    ck_assert_int_eq(dataset.test_count, 3);
    ck_assert_int_eq(dataset.doubts.count, 1);
    ck_assert_str_eq(dataset.doubts.items[0],
                     "2 of 9 images have the same bytes as one of another set (to train on, for validation, "
                     "test): " S "fine/4.png (" S "ok/deep/other.PNG), " S "fine/copy.png (" S "ok/2.png)");
    ead_dataset_free(&dataset);
}
END_TEST

/* Files of one size, as cameras write them: alike at both ends, in the middle, everywhere but for one byte. */
START_TEST(files_of_one_size_are_told_apart) {
    enum { BYTES = 300007 };
    static const int changed[] = {-1, 0, BYTES / 2, 100000, BYTES - 1};
    static uint8_t bytes[BYTES];
    EadDataset dataset;
    make_scene();
    fill_noise(bytes, BYTES, 3);
    write_bytes(S "ok/a.bmp", bytes, BYTES);
    for (int i = 0; i < 5; i++) {
        char path[64];
        if (i > 0) bytes[changed[i]] ^= 1;
        snprintf(path, sizeof path, S "fine/%d.bmp", i);
        write_bytes(path, bytes, BYTES);
        if (i > 0) bytes[changed[i]] ^= 1;
    }
    ASSERT_OK(ead_dataset_open(&base, &dataset));
    ck_assert_int_eq(dataset.doubts.count, 1);
    assert_contains(dataset.doubts.items[0], "1 of 12 images have the same bytes");
    assert_contains(dataset.doubts.items[0], ": " S "fine/0.bmp (" S "ok/a.bmp)");
    ead_dataset_free(&dataset);
}
END_TEST

/* Images for validation that its authors have chosen are a set of their own. */
START_TEST(copies_for_validation_are_told) {
    EadDataset dataset;
    EadDatasetSpec spec = {
        .type = "mvtec_ad_2", .path = S "sets", .category = "can", .validation_fraction = 0.1};
    make_scene();
    shell_ok(
        "cd " S " && mkdir -p sets/can/train sets/can/validation/good sets/can/test_public && "
        "mv ok sets/can/train/good && mv fine sets/can/test_public/good && cd sets/can && "
        "cp train/good/1.png validation/good/7.png && cp test_public/good/5.png validation/good/8.png && "
        "cp validation/good/8.png validation/good/9.png");
    ASSERT_OK(ead_dataset_open(&spec, &dataset));
    ck_assert_int_eq(dataset.doubts.count, 1);
    assert_contains(dataset.doubts.items[0], "2 of 9 images have the same bytes as one of another set");
    assert_contains(dataset.doubts.items[0],
                    "test_public/good/5.png (" S "sets/can/validation/good/9.png), " S
                    "sets/can/validation/good/7.png (" S "sets/can/train/good/1.png)");
    ead_dataset_free(&dataset);
}
END_TEST

/* Or one copy would be trained on and the other held back. */
START_TEST(a_training_image_counts_once) {
    static const char *const links[] = {"ln ok/2.png ok/9.png", "ln -s ../ok/2.png ok/9.png",
                                        "mkdir more; ln ok/2.png more/9.png; ln -s ../more ok/more"};
    for (size_t i = 0; i < sizeof links / sizeof *links; i++) {
        EadDataset dataset;
        ASSERT_OK(open_with(links[i], &dataset));
        ck_assert_int_eq(dataset.train.count + dataset.validation.count, 4);
        ck_assert_int_eq(dataset.left_out.counts[EAD_LEFT_OUT_REPEATED], 1);
        assert_contains(dataset.left_out.paths[EAD_LEFT_OUT_REPEATED].items[0], "9.png");
        ead_dataset_free(&dataset);
    }
}
END_TEST

/* Under two names, or by folders that are named twice; the mask counts, whichever of them has it. */
START_TEST(a_test_image_counts_once) {
    static const char *const links[] = {"ln fine/5.png fine/9.png", "ln -s 5.png fine/9.png",
                                        "ln -s ../../fine/5.png bad/good/9.png",
                                        "ln bad/dent/a.png bad/dent/z.png"};
    EadDatasetSpec spec = base;
    spec.defect_folder = "bad", spec.mask_folder = "masks";
    for (int i = 0; i < 8; i++) {
        EadDataset dataset;
        char line[512];
        make_scene();
        snprintf(line, sizeof line,
                 "cd " S
                 " && mkdir -p bad/good bad/dent masks/dent && tail -c +2 ok/1.png >bad/dent/a.png && "
                 "cp ok/0.png masks/dent/%c.png && %s",
                 i == 7 ? 'z' : 'a', links[i % 4]);
        shell_ok(line);
        spec.test_only = i >= 4;
        ASSERT_OK(ead_dataset_open(&spec, &dataset));
        ck_assert_int_eq(dataset.test_count, 3);
        ck_assert_int_eq(dataset.left_out.counts[EAD_LEFT_OUT_REPEATED], 1);
        assert_contains(dataset.left_out.paths[EAD_LEFT_OUT_REPEATED].items[0],
                        i % 4 == 3 ? "z.png" : "9.png");
        ck_assert_int_eq(dataset.doubts.count, 0);
        for (int k = 0; k < 3; k++)
            ck_assert_int_eq(dataset.test[k].anomalous,
                             dataset.test[k].mask_path && access(dataset.test[k].mask_path, F_OK) == 0);
        ead_dataset_free(&dataset);
    }
}
END_TEST

START_TEST(folders_named_twice_count_once) {
    EadDataset dataset;
    EadDatasetSpec spec = base;
    spec.defect_folder = "../test_overlap/tests";
    spec.good_folder = "tests/good";
    make_scene();
    shell_ok("cd " S
             " && mkdir -p tests/dent && mv fine tests/good && tail -c +2 ok/1.png >tests/dent/a.png");
    ASSERT_OK(ead_dataset_open(&spec, &dataset));
    ck_assert_int_eq(dataset.test_count, 3);
    ck_assert_int_eq(dataset.left_out.counts[EAD_LEFT_OUT_REPEATED], 2);
    ead_dataset_free(&dataset);
}
END_TEST

START_TEST(a_validation_image_counts_once) {
    EadDataset dataset;
    EadDatasetSpec spec = {
        .type = "mvtec_ad_2", .path = S "sets", .category = "can", .validation_fraction = 0.1};
    make_scene();
    shell_ok(
        "cd " S " && mkdir -p sets/can/train sets/can/validation sets/can/test_public/good && "
        "mv ok sets/can/train/good && mv fine sets/can/validation/good && cd sets/can/validation/good && "
        "ln -s 5.png 9.png");
    ASSERT_OK(ead_dataset_open(&spec, &dataset));
    ck_assert_int_eq(dataset.validation.count, 2);
    ck_assert_int_eq(dataset.left_out.counts[EAD_LEFT_OUT_REPEATED], 1);
    ead_dataset_free(&dataset);
}
END_TEST

static EadStatus check_others(const EadDataset *dataset, const EadImageList *others, EadStringList *doubts) {
    return ead_dataset_check_others(dataset, others, &(EadDrawOrder){42, EAD_STREAM_PENALTY_ORDER},
                                    "penalty.path", "images of other things", doubts);
}

START_TEST(other_images_are_no_images_of_the_set) {
    EadDataset dataset;
    EadImageList others = {0};
    EadStringList doubts = {0};
    ASSERT_OK(open_with("mkdir other; cp ok/1.png other; ln -s ../ok other/linked", &dataset));
    ASSERT_OK(ead_image_list_add(&others, S "other"));
    ASSERT_FAILS(check_others(&dataset, &others, &doubts), EAD_BAD_ARGUMENT,
                 "is both one of penalty.path and an image ");
    ead_image_list_free(&others);
    ASSERT_OK(ead_image_list_add(&others, S "fine/4.png"));
    ASSERT_FAILS(check_others(&dataset, &others, &doubts), EAD_BAD_ARGUMENT,
                 S
                 "fine/4.png: is both one of penalty.path and a test image; it takes images of other things");
    ASSERT_FAILS(
        ead_dataset_check_others(&dataset, &others, NULL, "patchcore.add", "more good images", &doubts),
        EAD_BAD_ARGUMENT, "is both one of patchcore.add and a test image; it takes more good images");
    ead_image_list_free(&others);
    ck_assert_int_eq(doubts.count, 0);
    ead_dataset_free(&dataset);
}
END_TEST

/* The same bytes as an image of the set, to test with, too; in an archive as well. */
START_TEST(copies_among_other_images_are_told) {
    EadDataset dataset;
    EadImageList others = {0};
    EadStringList doubts = {0};
    ASSERT_OK(open_with("mkdir other; cp fine/4.png other/a.PNG; cp ok/1.png other/b.png; "
                        "tail -c +2 ok/1.png >other/c.png; "
                        "cd fine; tar cf ../other/e.tar 5.png; cd ..",
                        &dataset));
    ASSERT_OK(ead_image_list_add(&others, S "other"));
    ASSERT_OK(check_others(&dataset, &others, &doubts));
    ck_assert_int_eq(doubts.count, 1);
    ck_assert_str_eq(doubts.items[0],
                     "3 of 4 images of penalty.path have the same bytes as one of the data set: " S
                     "other/a.PNG (" S "fine/4.png), " S "other/b.png (" S "ok/1.png), " S
                     "other/e.tar/5.png (" S "fine/5.png)");
    ead_strings_free(&doubts);
    ead_image_list_free(&others);
    ead_dataset_free(&dataset);
}
END_TEST

/* What is held out is not distilled on, neither by a link nor as a copy, in archives too. */
START_TEST(held_out_images_are_no_others) {
    EadImageList list = {0};
    EadStringList doubts = {0};
    make_scene();
    shell_ok("cd " S
             " && cp ok/1.png fine/a.PNG && cp ok/2.png fine/b.png && tail -c +2 ok/2.png >fine/c.png && "
             "cd ok && tar cf x.tar 3.png && cp x.tar ../fine && rm 3.png");
    ASSERT_OK(ead_image_list_add(&list, S "ok"));
    ck_assert_int_eq(list.count, 4);
    ASSERT_OK(ead_image_list_add(&list, S "fine"));
    ASSERT_OK(ead_image_list_check_apart(&list, 4, "distill.images", "distill.validation", &doubts));
    ck_assert_int_eq(doubts.count, 1);
    ck_assert_str_eq(doubts.items[0],
                     "3 of 6 images of distill.images have the same bytes as one of distill.validation: " S
                     "fine/a.PNG (" S "ok/1.png), " S "fine/b.png (" S "ok/2.png), " S "fine/x.tar/3.png (" S
                     "ok/x.tar/3.png)");
    ead_strings_free(&doubts);
    shell_ok("cd " S " && rm fine/?.PNG fine/[bc].png fine/x.tar ok/x.tar");
    for (int soft = 0; soft < 2; soft++) {
        ead_image_list_free(&list);
        shell_ok(soft ? "ln -sf ../ok/0.png " S "fine/6.png" : "ln -f " S "ok/0.png " S "fine/6.png");
        ASSERT_OK(ead_image_list_add(&list, S "ok"));
        ASSERT_OK(ead_image_list_add(&list, S "fine"));
        ASSERT_FAILS(ead_image_list_check_apart(&list, 3, "distill.images", "distill.validation", &doubts),
                     EAD_BAD_ARGUMENT, "is both one of distill.images and an image for validation");
    }
    ck_assert_int_eq(doubts.count, 0);
    ead_image_list_free(&list);
}
END_TEST

/* Good or defective: one of both labels is wrong. Copies of one kind are no contradiction. */
START_TEST(good_and_defective_copies_are_told) {
    static const char *const copies[] = {"cp fine/4.png bad/x.png", "ln fine/4.png bad/x.png",
                                         "ln -s ../fine/4.png bad/x.png"};
    EadDatasetSpec spec = base;
    spec.defect_folder = "bad";
    for (int i = 0; i < 6; i++) {
        EadDataset dataset;
        char line[256];
        make_scene();
        snprintf(line, sizeof line,
                 "cd " S " && mkdir bad && cp fine/5.png fine/6.png && "
                 "tail -c +2 ok/1.png >bad/y.png && cp bad/y.png bad/z.png && %s",
                 copies[i % 3]);
        shell_ok(line);
        spec.test_only = i >= 3; /* as eval reads it */
        ASSERT_OK(ead_dataset_open(&spec, &dataset));
        ck_assert_int_eq(dataset.test_count, 6);
        ck_assert_int_eq(dataset.doubts.count, 1);
        ck_assert_str_eq(dataset.doubts.items[0],
                         "1 of 3 defective test images have the same bytes as a good one: " S "bad/x.png (" S
                         "fine/4.png)");
        ead_dataset_free(&dataset);
    }
}
END_TEST

START_TEST(outputs_lie_apart) {
    EadDataset dataset;
    ASSERT_OK(open_with("ln -s ok link; mkdir runs", &dataset));
    ASSERT_FAILS(ead_check_output_apart(&dataset.left_out, S "ok"), EAD_BAD_ARGUMENT,
                 "name another --output");
    ASSERT_FAILS(ead_check_output_apart(&dataset.left_out, S "ok/runs/a"), EAD_BAD_ARGUMENT, "searched");
    ASSERT_FAILS(ead_check_output_apart(&dataset.left_out, S "runs/../link/x"), EAD_BAD_ARGUMENT, "searched");
    ASSERT_FAILS(ead_check_output_apart(&dataset.left_out, S "fine/x"), EAD_BAD_ARGUMENT, S "fine");
    ASSERT_OK(ead_check_output_apart(&dataset.left_out, S "runs/a"));
    ASSERT_OK(ead_check_output_apart(&dataset.left_out, S "okay"));
    ASSERT_OK(ead_check_output_apart(&dataset.left_out, S));
    ead_dataset_free(&dataset);
    shell_ok("rm -rf " S);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("overlap");
    TCase *tests = tcase_create("overlap");
    tcase_add_test(tests, train_and_test_through_links);
    tcase_add_test(tests, copies_are_told);
    tcase_add_test(tests, files_of_one_size_are_told_apart);
    tcase_add_test(tests, copies_for_validation_are_told);
    tcase_add_test(tests, a_training_image_counts_once);
    tcase_add_test(tests, a_test_image_counts_once);
    tcase_add_test(tests, folders_named_twice_count_once);
    tcase_add_test(tests, a_validation_image_counts_once);
    tcase_add_test(tests, other_images_are_no_images_of_the_set);
    tcase_add_test(tests, copies_among_other_images_are_told);
    tcase_add_test(tests, held_out_images_are_no_others);
    tcase_add_test(tests, good_and_defective_copies_are_told);
    tcase_add_test(tests, outputs_lie_apart);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
