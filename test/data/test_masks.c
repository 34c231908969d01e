/* Masks that are doubtful are told; masks are found whatever the case of their names, and beside their images. */
#include "data/dataset/dataset.h"
#include "test/support/scratch.h"

#define SCRATCH "build/scratch/masks/"

enum { SIDE = 20 };

/* A gray PNG of one value, with a square of another in the middle; step > 0: the square's pixels grow by it. */
static void write_square(const char *name, int ground, int square, int step) {
    EadImage image;
    char path[256];
    snprintf(path, sizeof path, SCRATCH "%s", name);
    make_folders(path);
    fill_image(&image, SIDE, SIDE, 1, (uint8_t)ground);
    for (int i = 0; i < SIDE * SIDE; i++) {
        int x = i % SIDE, y = i / SIDE;
        if (x < 5 || x > 9 || y < 5 || y > 9) continue;
        image.pixels[i] = (uint8_t)(square + step * (x - 5));
    }
    ASSERT_OK(ead_png_write(path, &image));
    ead_image_free(&image);
}

static void write_photo(const char *name) {
    char path[256];
    snprintf(path, sizeof path, SCRATCH "%s", name);
    write_noise_png(path, SIDE, SIDE, 3, fnv((const uint8_t *)name, strlen(name)));
}

/* Good images, four with defects and good masks. */
static EadDatasetSpec make_set(void) {
    static const char *const names[] = {"good/0.png", "good/1.png", "good/2.png", "bad/a.png",
                                        "bad/b.png",  "bad/c.png",  "bad/d.png"};
    shell_ok("rm -rf " SCRATCH);
    for (int i = 0; i < 7; i++) write_photo(names[i]);
    for (int i = 3; i < 7; i++) {
        char mask[64];
        snprintf(mask, sizeof mask, "masks/%c_mask.png", names[i][4]);
        write_square(mask, 0, 255, 0);
    }
    return (EadDatasetSpec){.type = "folder",
                            .path = SCRATCH,
                            .validation_fraction = 0.1,
                            .normal_folder = "good",
                            .defect_folder = "bad",
                            .mask_folder = "masks"};
}

static void open_and_check(const EadDatasetSpec *spec, EadDataset *dataset) {
    ASSERT_OK(ead_dataset_open(spec, dataset));
    ASSERT_OK(ead_dataset_check_tests(dataset, NULL, false));
}

/* The only doubt. */
static void assert_doubt(const EadDatasetSpec *spec, const char *line) {
    EadDataset dataset;
    open_and_check(spec, &dataset);
    ck_assert_int_eq(dataset.doubts.count, 1);
    ck_assert_str_eq(dataset.doubts.items[0], line);
    ead_dataset_free(&dataset);
}

START_TEST(empty_masks_are_told_and_count) {
    EadDatasetSpec spec = make_set();
    EadDataset dataset;
    EadGroundTruth truth;
    open_and_check(&spec, &dataset);
    ck_assert_int_eq(dataset.doubts.count, 0);
    ead_dataset_free(&dataset);
    write_square("masks/b_mask.png", 0, 0, 0);
    write_square("masks/d_mask.png", 0, 0, 0);
    assert_doubt(&spec,
                 "2 of 4 masks mark nothing; their images count as anomalous, without a region: " SCRATCH
                 "masks/b_mask.png, " SCRATCH "masks/d_mask.png");
    open_and_check(&spec, &dataset);
    ck_assert(dataset.test_count == 4 && dataset.test[1].anomalous && dataset.has_masks);
    ASSERT_OK(ead_test_sample_truth(&dataset.test[1], SIDE, SIDE, NULL, &truth));
    for (int i = 0; i < SIDE * SIDE; i++) ck_assert_int_eq(truth.mask.pixels[i], 0);
    ead_ground_truth_free(&truth);
    ead_dataset_free(&dataset);
}
END_TEST

START_TEST(masks_of_several_values_are_told) {
    EadDatasetSpec spec = make_set();
    write_square("masks/a_mask.png", 0, 1, 4);    /* 1, 5, 9, 13, 17: what JPEG leaves */
    write_square("masks/c_mask.png", 0, 127, 32); /* smoothed; 127 to 255 */
    assert_doubt(&spec,
                 "2 of 4 masks hold several values (did they go through JPEG?); each but 0 counts as "
                 "defect: " SCRATCH "masks/a_mask.png (1 to 17), " SCRATCH "masks/c_mask.png (127 to 255)");
    spec = make_set();
    write_square("masks/a_mask.png", 0, 1, 0); /* two values, though not 0 and 255 */
    EadDataset dataset;
    open_and_check(&spec, &dataset);
    ck_assert_int_eq(dataset.doubts.count, 0);
    ead_dataset_free(&dataset);
}
END_TEST

START_TEST(inverted_masks_are_told) {
    EadDatasetSpec spec = make_set();
    write_square("masks/a_mask.png", 255, 0, 0);
    assert_doubt(&spec,
                 "1 of 4 masks mark most of the image and of its border (are they inverted?); what is not 0 "
                 "counts as defect: " SCRATCH "masks/a_mask.png");
}
END_TEST

#define UNUSABLE                                                                                             \
    " masks are missing or cannot be used; their images are left out of the pixel metrics: " SCRATCH

/* Sample 1 of 4 counts, without a mask. */
static void assert_one_costs_itself(const EadDatasetSpec *spec, const char *line) {
    EadDataset dataset;
    EadGroundTruth truth;
    assert_doubt(spec, line);
    open_and_check(spec, &dataset);
    ck_assert(dataset.test_count == 4 && dataset.has_masks);
    ck_assert(dataset.test[1].anomalous && !dataset.test[1].mask_path && dataset.test[2].mask_path);
    ASSERT_OK(ead_test_sample_truth(&dataset.test[1], SIDE, SIDE, NULL, &truth));
    ck_assert(truth.mask.width == SIDE && truth.mask.height == SIDE && truth.channel_count == 0);
    for (int i = 0; i < SIDE * SIDE; i++) ck_assert_int_eq(truth.mask.pixels[i], 0);
    ead_ground_truth_free(&truth);
    ead_dataset_free(&dataset);
}

/* All, one, and some in a tree. */
START_TEST(masks_of_other_formats_are_told) {
    static const char what[] = "masks are of a format that is not read, and are left out: " SCRATCH;
    char line[512];
    EadDataset dataset;
    EadDatasetSpec spec = make_set();
    shell_ok("cd " SCRATCH "masks && for i in a b c d; do rm ${i}_mask.png; echo GIF89a >$i.gif; done");
    open_and_check(&spec, &dataset);
    ck_assert(dataset.doubts.count == 2 && !dataset.has_masks);
    snprintf(line, sizeof line,
             "4 of 4 %smasks/a.gif, " SCRATCH "masks/b.gif, " SCRATCH "masks/c.gif, " SCRATCH "masks/d.gif",
             what);
    ck_assert_str_eq(dataset.doubts.items[0], line);
    assert_contains(dataset.doubts.items[1], "no masks of the test images");
    ead_dataset_free(&dataset);
    spec = make_set();
    shell_ok("cd " SCRATCH "masks && rm b_mask.png && echo 8BPS >b_mask.psd");
    open_and_check(&spec, &dataset);
    ck_assert_int_eq(dataset.doubts.count, 2);
    snprintf(line, sizeof line, "1 of 4 %smasks/b_mask.psd", what);
    ck_assert_str_eq(dataset.doubts.items[0], line);
    assert_contains(dataset.doubts.items[1], "b.png: has no mask");
    ead_dataset_free(&dataset);
    spec = make_set();
    shell_ok("cd " SCRATCH " && mkdir bad/x masks/x && mv bad/?.png bad/x && mv masks/*.png masks/x && "
             "echo >masks/x/e.tga && echo P5 1 1 >masks/x/f.pgm && echo text >masks/x/README");
    open_and_check(&spec, &dataset);
    ck_assert_int_eq(dataset.doubts.count, 1);
    snprintf(line, sizeof line, "2 of 6 %smasks/x/e.tga, " SCRATCH "masks/x/f.pgm", what);
    ck_assert_str_eq(dataset.doubts.items[0], line);
    ead_dataset_free(&dataset);
}
END_TEST

START_TEST(a_missing_mask_costs_its_region) {
    EadDatasetSpec spec = make_set();
    shell_ok("rm " SCRATCH "masks/b_mask.png");
    assert_one_costs_itself(&spec, "1 of 4" UNUSABLE "bad/b.png: has no mask; it should be " SCRATCH
                                   "masks/b_mask.png");
    shell_ok("ln -s nowhere " SCRATCH "masks/b_mask.png");
    assert_one_costs_itself(&spec, "1 of 4" UNUSABLE "bad/b.png: its mask " SCRATCH
                                   "masks/b_mask.png is a link that leads nowhere");
    shell_ok("cd " SCRATCH "masks && mv b_mask.png b.PNG"); /* by another of the names that a mask may have */
    assert_one_costs_itself(&spec, "1 of 4" UNUSABLE "bad/b.png: its mask " SCRATCH
                                   "masks/b.PNG is a link that leads nowhere");
    shell_ok("cd " SCRATCH "masks && mv b.PNG b_mask.png");
    write_photo("bad/e.png");
    write_square("masks/e_mask.png", 0, 255, 0);
    shell_ok("rm " SCRATCH "masks/b_mask.png && mkdir " SCRATCH "masks/away && mv " SCRATCH
             "masks/c_mask.png " SCRATCH "masks/away/f_mask.png");
    EadDataset dataset;
    open_and_check(&spec, &dataset); /* two of five, and a mask too many */
    ck_assert_int_eq(dataset.doubts.count, 2);
    ck_assert_str_eq(dataset.doubts.items[0],
                     "1 of 4 masks have no image and are ignored: " SCRATCH "masks/away/f_mask.png");
    ck_assert_str_eq(dataset.doubts.items[1],
                     "2 of 5" UNUSABLE "bad/b.png: has no mask; it should be " SCRATCH
                     "masks/b_mask.png, " SCRATCH "bad/c.png: has no mask; it should be " SCRATCH
                     "masks/c_mask.png");
    ead_dataset_free(&dataset);
}
END_TEST

START_TEST(an_unusable_mask_costs_its_region) {
    EadDatasetSpec spec = make_set();
    write_noise_png(SCRATCH "masks/b_mask.png", SIDE, SIDE + 1, 1, 1);
    assert_one_costs_itself(&spec, "1 of 4" UNUSABLE "masks/b_mask.png: the mask has 20 x 21 pixels, its "
                                   "image " SCRATCH "bad/b.png 20 x 20");
    write_text(SCRATCH "masks/b_mask.png", "");
    assert_one_costs_itself(&spec, "1 of 4" UNUSABLE "masks/b_mask.png: the file is empty (0 bytes)");
}
END_TEST

START_TEST(half_of_the_masks_unusable_are_refused_at_once) {
    EadDatasetSpec spec = make_set();
    EadDataset dataset;
    write_noise_png(SCRATCH "masks/a_mask.png", SIDE, SIDE + 1, 1, 1);
    write_text(SCRATCH "masks/c_mask.png", "no picture");
    ASSERT_OK(ead_dataset_open(&spec, &dataset));
    ASSERT_FAILS(ead_dataset_check_tests(&dataset, NULL, false), EAD_BAD_FILE,
                 "2 of 4 masks cannot be used: " SCRATCH "masks/a_mask.png: the mask has 20 x 21 pixels");
    assert_contains(ead_error_message(), SCRATCH "masks/c_mask.png: not an image of a known format");
    ead_dataset_free(&dataset);
    shell_ok("rm " SCRATCH "masks/*");
    open_and_check(&spec, &dataset); /* none at all: image metrics */
    ck_assert(!dataset.has_masks && dataset.doubts.count == 1 && dataset.notes.count == 0);
    ck_assert_str_eq(dataset.doubts.items[0], "no masks of the test images: only image metrics are computed");
    ead_dataset_free(&dataset);
    spec.mask_folder = NULL;
    open_and_check(&spec, &dataset); /* not doubtful where none are expected */
    ck_assert(!dataset.has_masks && dataset.doubts.count == 0 && dataset.notes.count == 1);
    ead_dataset_free(&dataset);
}
END_TEST

/* A gray TIFF of several pages, written byte by byte; the first page has one white pixel, unless black. */
static void write_pages(const char *path, int pages, bool black) {
    enum { HEADER = 8, ENTRIES = 9, DIRECTORY = 2 + 12 * ENTRIES + 4, PIXELS = SIDE * SIDE };
    static uint8_t bytes[HEADER + 4 * (DIRECTORY + PIXELS)] = {'I', 'I', 42, 0, HEADER};
    for (int page = 0; page < pages; page++) {
        int at = HEADER + page * (DIRECTORY + PIXELS), data = at + DIRECTORY;
        int next = page + 1 < pages ? data + PIXELS : 0;
        const int entries[ENTRIES][2] = {{256, SIDE}, {257, SIDE}, {258, 8},    {259, 1},     {262, 1},
                                         {273, data}, {277, 1},    {278, SIDE}, {279, PIXELS}};
        memset(bytes + at, 0, DIRECTORY + PIXELS);
        bytes[at] = ENTRIES;
        for (int e = 0; e < ENTRIES; e++) {
            uint8_t *entry = bytes + at + 2 + 12 * e; /* tag, LONG, 1, value */
            entry[0] = (uint8_t)entries[e][0], entry[1] = (uint8_t)(entries[e][0] >> 8);
            entry[2] = 4, entry[4] = 1;
            entry[8] = (uint8_t)entries[e][1], entry[9] = (uint8_t)(entries[e][1] >> 8);
        }
        bytes[at + DIRECTORY - 4] = (uint8_t)next, bytes[at + DIRECTORY - 3] = (uint8_t)(next >> 8);
        bytes[data + 30] = page == 0 && black ? 0 : 255;
    }
    write_bytes(path, bytes, HEADER + (size_t)pages * (DIRECTORY + PIXELS));
}

#define PAGES " with up to %d pages or frames, of which the first is read: " SCRATCH

START_TEST(masks_of_several_pages_are_told) {
    EadDatasetSpec spec = make_set();
    EadDataset dataset;
    char line[256];
    shell_ok("rm " SCRATCH "masks/b_mask.png");
    write_pages(SCRATCH "masks/b_mask.tif", 1, false);
    open_and_check(&spec, &dataset);
    ck_assert_int_eq(dataset.doubts.count, 0);
    ead_dataset_free(&dataset);
    write_pages(SCRATCH "masks/b_mask.tif", 2, false);
    snprintf(line, sizeof line, "1 mask" PAGES "masks/b_mask.tif", 2);
    assert_doubt(&spec, line);
    shell_ok("rm " SCRATCH "masks/d_mask.png");
    write_pages(SCRATCH "masks/d_mask.tiff", 3, false);
    snprintf(line, sizeof line, "2 masks" PAGES "masks/b_mask.tif, " SCRATCH "masks/d_mask.tiff", 3);
    assert_doubt(&spec, line);
}
END_TEST

/* Of good images, too; and those that say what may be trained on. */
START_TEST(black_masks_of_several_pages_are_told) {
    EadDataset dataset;
    EadDatasetSpec spec = {.type = "kolektor_sdd2", .path = SCRATCH, .validation_fraction = 0.1};
    shell_ok("rm -rf " SCRATCH);
    for (int i = 0; i < 4; i++) {
        char name[64], mask[64];
        snprintf(name, sizeof name, "%s/%d.png", i < 3 ? "train" : "test", i);
        write_photo(name);
        snprintf(mask, sizeof mask, SCRATCH "%s/%d_GT.tif", i < 3 ? "train" : "test", i);
        write_pages(mask, i % 2 + 1, true);
    }
    open_and_check(&spec, &dataset);
    ck_assert_int_eq(dataset.doubts.count, 2);
    assert_contains(dataset.doubts.items[0],
                    "1 mask with up to 2 pages or frames, of which the first is read: " SCRATCH
                    "train/1_GT.tif");
    assert_contains(dataset.doubts.items[1], SCRATCH "test/3_GT.tif");
    ead_dataset_free(&dataset);
}
END_TEST

/* A 16-bit mask with small numbers is no dark picture. */
START_TEST(masks_need_not_be_bright) {
    EadDatasetSpec spec = make_set();
    EadDataset dataset;
    shell_ok("cp test/golden/reading/low12.png " SCRATCH
             "masks/b_mask.png && cp test/golden/reading/low12.png " SCRATCH "bad/b.png");
    open_and_check(&spec, &dataset);
    for (int i = 0; i < dataset.doubts.count; i++)
        ck_assert_ptr_null(strstr(dataset.doubts.items[i], "of 16 bits"));
    ead_dataset_free(&dataset);
}
END_TEST

/* Damage behind the header shows only to whoever reads it all, as dataset.strict does; notes on pictures, too. */
START_TEST(whole_images_are_read_where_wanted) {
    EadDatasetSpec spec = make_set();
    EadDataset dataset;
    shell_ok("cd " SCRATCH " && truncate -s 600 bad/b.png && truncate -s 600 good/1.png && "
             "cp ../../../test/golden/reading/pages.tif good/3.tif");
    uint8_t black[3 * 8 * 8] = {0};
    ASSERT_OK(ead_png_write(SCRATCH "good/4.png",
                            &(EadImage){.width = 8, .height = 8, .channels = 3, .pixels = black}));
    open_and_check(&spec, &dataset);
    ck_assert_int_eq(dataset.doubts.count, 0);
    ASSERT_OK(ead_dataset_check_tests(&dataset, NULL, true));
    bool held = dataset.validation.count == 1 && strstr(dataset.validation.items[0], "1.png");
    ck_assert_int_eq(dataset.doubts.count, 4);
    assert_contains(dataset.doubts.items[0], held ? "1 of 1 validation images cannot be read: "
                                                  : "1 of 4 images to train on cannot be read: ");
    assert_contains(dataset.doubts.items[0], SCRATCH "good/1.png: ");
    assert_contains(dataset.doubts.items[1],
                    "1 of 4 test images cannot be read and will have no score: " SCRATCH "bad/b.png: ");
    assert_contains(dataset.doubts.items[2],
                    "1 image with up to 3 pages or frames, of which the first is read");
    assert_contains(dataset.doubts.items[3], "1 image with one value in all pixels");
    assert_contains(dataset.doubts.items[3], SCRATCH "good/4.png");
    ead_dataset_free(&dataset);
}
END_TEST

/* An image that is damaged costs itself, not the check. */
START_TEST(unreadable_images_are_told) {
    EadDatasetSpec spec = make_set();
    write_text(SCRATCH "bad/b.png", "");
    assert_doubt(&spec, "1 of 4 test images cannot be read and will have no score: " SCRATCH
                        "bad/b.png: the file is empty (0 bytes)");
}
END_TEST

/* Those without a mask too, and those over the limit: it is told before the training, not behind it. */
START_TEST(images_over_the_limit_are_told) {
    EadDatasetSpec spec = make_set();
    EadDataset dataset;
    EadImageRules rules = {.max_pixels = 32 * 32};
    spec.good_folder = "fine";
    make_folders(SCRATCH "fine/0.png");
    write_photo("fine/0.png");
    write_noise_png(SCRATCH "fine/huge.png", 33, 32, 3, 1);
    ASSERT_OK(ead_dataset_open(&spec, &dataset));
    ASSERT_OK(ead_dataset_check_tests(&dataset, &rules, false));
    ck_assert_int_eq(dataset.doubts.count, 1);
    assert_contains(dataset.doubts.items[0],
                    "1 of 6 test images cannot be read and will have no score: " SCRATCH
                    "fine/huge.png: 33 x 32 pixels; at most 1024 in all are read");
    ead_dataset_free(&dataset);
}
END_TEST

static void assert_masks(const EadDatasetSpec *spec, const char *const *masks, int count) {
    EadDataset dataset;
    open_and_check(spec, &dataset);
    ck_assert_int_eq(dataset.test_count, count);
    for (int i = 0; i < count; i++) {
        ck_assert_ptr_nonnull(dataset.test[i].mask_path);
        ck_assert_str_eq(dataset.test[i].mask_path + strlen(SCRATCH), masks[i]);
    }
    ead_dataset_free(&dataset);
}

START_TEST(masks_are_found_whatever_their_case) {
    static const char *const masks[] = {"masks/a_mask.PNG", "masks/B_mask.png", "masks/c_MASK.Png",
                                        "masks/d_mask.png"};
    EadDatasetSpec spec = make_set();
    shell_ok("cd " SCRATCH "masks && mv a_mask.png a_mask.PNG && mv b_mask.png B_mask.png && "
             "mv c_mask.png c_MASK.Png");
    assert_masks(&spec, masks, 4);
}
END_TEST

START_TEST(masks_lie_beside_their_images) {
    static const char *const masks[] = {"bad/a_mask.png", "bad/b-mask.png", "bad/c_GT.png",
                                        "bad/d_label.png"};
    EadDatasetSpec spec = make_set();
    EadDataset dataset;
    shell_ok("cd " SCRATCH " && mv masks/a_mask.png bad && mv masks/b_mask.png bad/b-mask.png && "
             "mv masks/c_mask.png bad/c_GT.png && mv masks/d_mask.png bad/d_label.png");
    write_square("good/0_mask.png", 0, 0, 0);
    write_square("good/1_label.png", 0, 0, 0);
    spec.mask_folder = "bad";
    assert_masks(&spec, masks, 4);
    spec.mask_folder = "bad/../bad/";
    assert_masks(&spec, masks, 4);
    open_and_check(&spec, &dataset);
    ck_assert_int_eq(dataset.train.count + dataset.validation.count, 3); /* and no mask */
    ck_assert_int_eq(dataset.left_out.counts[EAD_LEFT_OUT_MASK], 6);
    ead_dataset_free(&dataset);
    spec.mask_folder = "bad";
    shell_ok("mv " SCRATCH "bad/c_GT.png " SCRATCH "c_GT.png"); /* one of four is missing */
    assert_doubt(&spec, "1 of 4" UNUSABLE "bad/c.png: has no mask; it should be " SCRATCH "bad/c_mask.png");
    shell_ok("mv " SCRATCH "c_GT.png " SCRATCH "bad/c_GT.png");
    spec.mask_folder = NULL; /* without masks they are no test images either */
    open_and_check(&spec, &dataset);
    ck_assert(dataset.test_count == 4 && !dataset.has_masks);
    ead_dataset_free(&dataset);
}
END_TEST

/* Images without extension have masks, too. */
START_TEST(masks_of_images_without_extension) {
    static const char *const masks[] = {"masks/a_mask.png", "masks/b_mask.png", "masks/c_mask.png",
                                        "masks/d_mask.png"};
    EadDatasetSpec spec = make_set();
    shell_ok("cd " SCRATCH "bad && mv a.png a && mv b.png b.jfif && mkdir v1.0 && rmdir v1.0");
    assert_masks(&spec, masks, 4);
}
END_TEST

START_TEST(several_formats_are_told) {
    EadDatasetSpec spec = make_set();
    EadDataset dataset;
    shell_ok("cd " SCRATCH "good && cp 0.png 3.webp && cp 0.png 4.WebP && cp 1.png 5.PNG");
    open_and_check(&spec, &dataset);
    ck_assert_int_eq(dataset.notes.count, 1);
    ck_assert_str_eq(dataset.notes.items[0], "good images by their endings: 4 .png, 2 .webp");
    ead_dataset_free(&dataset);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("masks");
    TCase *tests = tcase_create("all");
    tcase_add_test(tests, empty_masks_are_told_and_count);
    tcase_add_test(tests, masks_of_several_values_are_told);
    tcase_add_test(tests, inverted_masks_are_told);
    tcase_add_test(tests, masks_of_other_formats_are_told);
    tcase_add_test(tests, a_missing_mask_costs_its_region);
    tcase_add_test(tests, an_unusable_mask_costs_its_region);
    tcase_add_test(tests, half_of_the_masks_unusable_are_refused_at_once);
    tcase_add_test(tests, masks_of_several_pages_are_told);
    tcase_add_test(tests, black_masks_of_several_pages_are_told);
    tcase_add_test(tests, masks_need_not_be_bright);
    tcase_add_test(tests, whole_images_are_read_where_wanted);
    tcase_add_test(tests, unreadable_images_are_told);
    tcase_add_test(tests, images_over_the_limit_are_told);
    tcase_add_test(tests, masks_are_found_whatever_their_case);
    tcase_add_test(tests, masks_lie_beside_their_images);
    tcase_add_test(tests, masks_of_images_without_extension);
    tcase_add_test(tests, several_formats_are_told);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
