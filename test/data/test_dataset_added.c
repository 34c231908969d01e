/* More good images than those of the data set: how they are divided, and what is refused. */
#define SCRATCH "build/scratch/dataset_added/"
#include "test/data/data_trees.h"

enum { OLD = 20, MORE = 15 };

/* So many pictures of a folder, told apart by `seed`. */
static void draw_folder(const char *folder, int count, uint32_t seed) {
    char path[256];
    for (int i = 0; i < count; i++) {
        snprintf(path, sizeof path, SCRATCH "%s/%02d.png", folder, i);
        write_noise_png(path, WIDTH, HEIGHT, 3, 1000 * seed + (uint32_t)i);
    }
}

static void make_scene(void) {
    shell_ok("rm -rf " SCRATCH);
    draw_folder("old", OLD, 1);
    draw_folder("more", MORE, 2);
    draw_folder("last", MORE, 3);
}

static void remove_scene(void) {
    shell_ok("rm -rf " SCRATCH);
}

/* The data set "old" with folders below SCRATCH behind it. */
static EadStatus open_with(const char *const *added, EadDataset *dataset) {
    EadStringList folders = {0};
    char path[256];
    for (; *added; added++) {
        snprintf(path, sizeof path, SCRATCH "%s", *added);
        ASSERT_OK(ead_strings_add(&folders, path));
    }
    EadDatasetSpec spec = spec_of("folder", SCRATCH "old", "");
    spec.added = &folders;
    EadStatus status = ead_dataset_open(&spec, dataset);
    ead_strings_free(&folders);
    return status;
}

static bool holds_all(const EadStringList *list, const EadStringList *part) {
    for (int i = 0; i < part->count; i++)
        if (ead_strings_find_sorted(list, part->items[i]) < 0) return false;
    return true;
}

/* A tenth of all images, of which those that were for validation before are a part; nothing moves to the other set. */
START_TEST(what_was_held_back_stays_held_back) {
    static const char *const steps[][3] = {{NULL}, {"more", NULL}, {"more", "last", NULL}};
    static const int held[] = {2, 4, 5}; /* of 20, 35 and 50: 3.5 counts as 4 */
    EadDataset datasets[3];
    for (int i = 0; i < 3; i++) {
        EadDataset *dataset = &datasets[i];
        ASSERT_OK(open_with(steps[i], dataset));
        ck_assert_int_eq(dataset->validation.count, held[i]);
        ck_assert_int_eq(dataset->train.count, OLD + i * MORE - held[i]);
        if (i == 0) continue;
        ck_assert(holds_all(&dataset->validation, &datasets[i - 1].validation));
        ck_assert(holds_all(&dataset->train, &datasets[i - 1].train));
    }
    assert_contains(datasets[2].notes.items[0],
                    SCRATCH "more: 13 more good images to train on, 2 for validation");
    assert_contains(datasets[2].notes.items[1],
                    SCRATCH "last: 14 more good images to train on, 1 for validation");
    for (int i = 0; i < 3; i++) ead_dataset_free(&datasets[i]);
}
END_TEST

/* By a link or a copy of another name; they would be trained on twice, or although they are for validation. */
START_TEST(images_of_the_data_set_are_left_out) {
    static const char *const mixed[] = {"mixed", NULL}, *const again[] = {"again", NULL};
    EadDataset dataset;
    draw_folder("mixed", 3, 4);
    shell_ok("cd " SCRATCH
             " && cp old/00.png mixed/a.png && ln -s ../old/01.png mixed/b.png && mkdir again && "
             "cp old/0*.png again");
    ASSERT_OK(open_with(mixed, &dataset));
    ck_assert_int_eq(dataset.train.count + dataset.validation.count, OLD + 3);
    assert_contains(dataset.notes.items[1],
                    SCRATCH "mixed: 2 of 5 images are in the data set already, and left out");
    ead_dataset_free(&dataset);
    ASSERT_FAILS(open_with(again, &dataset), EAD_BAD_ARGUMENT,
                 "dataset.add: " SCRATCH "again: the data set has all of its images (10) already");
}
END_TEST

START_TEST(what_may_be_defective_is_refused) {
    static const struct {
        const char *make, *added[2], *message;
    } cases[] = {
        {"mkdir empty", {"empty"}, "dataset.add: " SCRATCH "empty: no images"},
        {"true", {"none"}, "dataset.add: " SCRATCH "none: no such folder"},
        {"mkdir -p parts/nok && cp more/00.png parts/nok", {"parts"}, "parts/nok: must not be trained on"},
        {"mkdir -p kinds/dent && cp more/00.png kinds && cp more/01.png kinds/dent",
         {"kinds"},
         "kinds/dent or those beside; name a folder of good images alone"},
    };
    EadDataset dataset;
    char line[256];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        snprintf(line, sizeof line, "cd " SCRATCH " && %s", cases[i].make);
        shell_ok(line);
        EadStatus status = open_with(cases[i].added, &dataset);
        ck_assert(status == EAD_BAD_ARGUMENT || status == EAD_IO);
        assert_contains(ead_error_message(), cases[i].message);
    }
}
END_TEST

START_TEST(test_images_are_refused) {
    EadDataset dataset;
    EadStringList folders = {0};
    draw_folder("set/train", 4, 5);
    draw_folder("set/test/good", 2, 6);
    shell_ok("cd " SCRATCH " && mkdir taken && cp more/00.png taken && cp set/test/good/00.png taken/x.png");
    ASSERT_OK(ead_strings_add(&folders, SCRATCH "taken"));
    EadDatasetSpec spec = spec_of("folder", SCRATCH "set", "");
    spec.added = &folders;
    ASSERT_FAILS(ead_dataset_open(&spec, &dataset), EAD_BAD_ARGUMENT,
                 "00.png: is both one of dataset.add and a test image (" SCRATCH "taken/x.png)");
    spec.test_only = true; /* a test does not look at them */
    ASSERT_OK(ead_dataset_open(&spec, &dataset));
    ck_assert(dataset.test_count == 2 && dataset.train.count == 0);
    ead_dataset_free(&dataset);
    ead_strings_free(&folders);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("dataset_added");
    TCase *tests = tcase_create("dataset_added");
    tcase_add_unchecked_fixture(tests, make_scene, remove_scene);
    tcase_add_test(tests, what_was_held_back_stays_held_back);
    tcase_add_test(tests, images_of_the_data_set_are_left_out);
    tcase_add_test(tests, what_may_be_defective_is_refused);
    tcase_add_test(tests, test_images_are_refused);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
