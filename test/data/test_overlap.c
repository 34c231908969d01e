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

/* An equal picture in a file of its own is another image. */
START_TEST(copies_are_no_links) {
    EadDataset dataset;
    ASSERT_OK(open_with("cp ok/2.png fine/copy.png", &dataset));
    ck_assert_int_eq(dataset.test_count, 3);
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

START_TEST(other_images_are_no_images_of_the_set) {
    EadDataset dataset;
    EadImageList others = {0};
    ASSERT_OK(open_with("mkdir other; cp ok/1.png other; ln -s ../ok other/linked", &dataset));
    ASSERT_OK(ead_image_list_add(&others, S "other"));
    ASSERT_FAILS(ead_dataset_check_others(&dataset, &others, "one of penalty.path"), EAD_BAD_ARGUMENT,
                 "is both one of penalty.path and an image ");
    ead_image_list_free(&others);
    ASSERT_OK(ead_image_list_add(&others, S "fine/4.png"));
    ASSERT_FAILS(ead_dataset_check_others(&dataset, &others, "one of penalty.path"), EAD_BAD_ARGUMENT,
                 S "fine/4.png: is both one of penalty.path and a test image; ");
    ead_image_list_free(&others);
    ASSERT_OK(ead_image_list_add(&others, S "other/1.png"));
    ASSERT_OK(ead_dataset_check_others(&dataset, &others, "one of penalty.path"));
    ead_image_list_free(&others);
    ead_dataset_free(&dataset);
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
    tcase_add_test(tests, copies_are_no_links);
    tcase_add_test(tests, a_training_image_counts_once);
    tcase_add_test(tests, other_images_are_no_images_of_the_set);
    tcase_add_test(tests, outputs_lie_apart);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
