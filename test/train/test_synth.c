/* Generated data: determinism, masks that say exactly where a picture differs from the flawless one, the
 * command. */
#include "data/codec/codec.h"
#include "train/cli/arguments.h"
#include "data/drawn/drawn_image.h"
#include "train/synth/synth.h"

#include "test/support/suite.h"

#include <string.h>

enum { SIDE = 96 };

static EadSynthPart make_part(int defect, uint32_t number) {
    return (EadSynthPart){(EadSynthDefect)defect, 5, number, SIDE, SIDE};
}

static size_t bytes_of(const EadImage *image) {
    return (size_t)image->width * (size_t)image->height * (size_t)image->channels;
}

START_TEST(test_deterministic) {
    for (uint32_t number = 3; number < 6; number++) {
        EadSynthPart part = make_part(EAD_SYNTH_DEFECT_blob, number), other = part;
        EadImage image, mask, again, again_mask;
        ck_assert_int_eq(ead_synth_draw(&part, &image, &mask), EAD_OK);
        ck_assert_int_eq(ead_synth_draw(&part, &again, &again_mask), EAD_OK);
        ck_assert_int_eq(memcmp(image.pixels, again.pixels, bytes_of(&image)), 0);
        ck_assert_int_eq(memcmp(mask.pixels, again_mask.pixels, bytes_of(&mask)), 0);
        ead_image_free(&again);
        ead_image_free(&again_mask);
        other.seed++;
        ck_assert_int_eq(ead_synth_draw(&other, &again, &again_mask), EAD_OK);
        ck_assert_int_ne(memcmp(image.pixels, again.pixels, bytes_of(&image)), 0);
        ead_image_free(&again);
        ead_image_free(&again_mask);
        ead_image_free(&image);
        ead_image_free(&mask);
    }
}
END_TEST

static int largest_difference(const EadImage *a, const EadImage *b, size_t pixel) {
    int largest = 0;
    for (size_t c = 0; c < 3; c++) {
        int difference = abs(a->pixels[3 * pixel + c] - b->pixels[3 * pixel + c]);
        if (difference > largest) largest = difference;
    }
    return largest;
}

/* Whether the mask has a pixel within one of (x,y). */
static bool near_mask(const EadImage *mask, int x, int y) {
    for (int j = y - 1; j <= y + 1; j++)
        for (int i = x - 1; i <= x + 1; i++)
            if (i >= 0 && j >= 0 && i < mask->width && j < mask->height &&
                mask->pixels[(size_t)j * (size_t)mask->width + (size_t)i])
                return true;
    return false;
}

typedef struct Agreement {
    int marked, changed; /* pixels of the mask; those of them that differ visibly */
    int stray;           /* pixels away from the mask that differ at all */
} Agreement;

static Agreement compare(const EadImage *good, const EadImage *bad, const EadImage *mask) {
    Agreement agreement = {0};
    for (int y = 0; y < mask->height; y++)
        for (int x = 0; x < mask->width; x++) {
            size_t pixel = (size_t)y * (size_t)mask->width + (size_t)x;
            int difference = largest_difference(good, bad, pixel);
            ck_assert(mask->pixels[pixel] == 0 || mask->pixels[pixel] == 255);
            agreement.marked += mask->pixels[pixel] != 0;
            agreement.changed += mask->pixels[pixel] && difference >= 8;
            agreement.stray += difference > 0 && !near_mask(mask, x, y);
        }
    return agreement;
}

/* A structural mask is where something was painted; a logical one is the element's whole region, of which
 * print covers only a part. */
static void check_defect(int defect, uint32_t number, const EadImage *good) {
    EadSynthPart part = make_part(defect, number);
    EadImage image, mask;
    ck_assert_int_eq(ead_synth_draw(&part, &image, &mask), EAD_OK);
    ck_assert_int_eq(mask.width, SIDE);
    ck_assert_int_eq(mask.height, SIDE);
    ck_assert_int_eq(mask.channels, 1);
    Agreement agreement = compare(good, &image, &mask);
    bool logical = defect >= EAD_SYNTH_DEFECT_missing;
    const char *name = ead_synth_defect_name(part.defect);
    ck_assert_msg(agreement.stray == 0, "%s %u: %d changed away from the mask", name, number,
                  agreement.stray);
    ck_assert_msg(agreement.marked >= 8, "%s %u: %d marked", name, number, agreement.marked);
    ck_assert_msg(agreement.marked < SIDE * SIDE / 12, "%s %u: %d marked", name, number, agreement.marked);
    ck_assert_msg(agreement.changed * (logical ? 8 : 2) >= agreement.marked, "%s %u: %d of %d changed", name,
                  number, agreement.changed, agreement.marked);
    ead_image_free(&image);
    ead_image_free(&mask);
}

START_TEST(test_masks) {
    for (uint32_t number = 0; number < 10; number++) {
        EadSynthPart part = make_part(EAD_SYNTH_DEFECT_good, number);
        EadImage good, empty;
        ck_assert_int_eq(ead_synth_draw(&part, &good, &empty), EAD_OK);
        for (size_t i = 0; i < bytes_of(&empty); i++) ck_assert_int_eq(empty.pixels[i], 0);
        for (int defect = 1; defect < EAD_SYNTH_DEFECT_COUNT; defect++) check_defect(defect, number, &good);
        ead_image_free(&good);
        ead_image_free(&empty);
    }
}
END_TEST

START_TEST(test_sizes) {
    for (int defect = 0; defect < EAD_SYNTH_DEFECT_COUNT; defect++) {
        EadSynthPart part = {(EadSynthDefect)defect, 1, 1, 32, 80};
        EadImage image, mask;
        ck_assert_int_eq(ead_synth_draw(&part, &image, &mask), EAD_OK);
        ck_assert(image.height == 32 && image.width == 80 && image.channels == 3);
        ck_assert(mask.height == 32 && mask.width == 80 && mask.channels == 1);
        ead_image_free(&image);
        ead_image_free(&mask);
    }
}
END_TEST

/* Textures: the same again, none like another, not flat. */
START_TEST(test_textures) {
    EadImage previous = {0};
    for (uint32_t number = 0; number < 8; number++) {
        EadImage image, again;
        ck_assert_int_eq(ead_drawn_scene(3, number, 64, 64, &image), EAD_OK);
        ck_assert_int_eq(ead_drawn_scene(3, number, 64, 64, &again), EAD_OK);
        ck_assert_int_eq(memcmp(image.pixels, again.pixels, bytes_of(&image)), 0);
        if (previous.pixels) ck_assert_int_ne(memcmp(image.pixels, previous.pixels, bytes_of(&image)), 0);
        int low = 255, high = 0;
        for (size_t i = 0; i < bytes_of(&image); i++) {
            if (image.pixels[i] < low) low = image.pixels[i];
            if (image.pixels[i] > high) high = image.pixels[i];
        }
        ck_assert_int_gt(high - low, 40);
        ead_image_free(&again);
        ead_image_free(&previous);
        previous = image;
    }
    ead_image_free(&previous);
}
END_TEST

static EadStatus run_synth(const char *folder) {
    char *texts[] = {
        "efficientad", "synth", "--output", (char *)folder, "--category",    "gasket", "--train",    "2",
        "--test-good", "1",     "--size",   "48x64",        "--test-defect", "1",      "--textures", "1"};
    EadArguments arguments;
    EadStatus status = ead_arguments_parse((int)(sizeof texts / sizeof *texts), texts, &arguments);
    if (status == EAD_OK) status = ead_command_synth(&arguments);
    ead_arguments_free(&arguments);
    return status;
}

/* The layout that the data set reader expects; a second run refuses to mix. */
START_TEST(test_command) {
    char folder[64], path[256];
    ck_assert_int_eq(system("rm -rf build/scratch/synth"), 0);
    snprintf(folder, sizeof folder, "build/scratch/synth/data");
    ck_assert_msg(run_synth(folder) == EAD_OK, "%s", ead_error_message());
    const char *const names[] = {"gasket/train/good/000.png",
                                 "gasket/train/good/001.png",
                                 "gasket/test/good/000.png",
                                 "gasket/test/swapped/000.png",
                                 "gasket/test/scratch/000.png",
                                 "gasket/test/chip/000.png",
                                 "textures/000.png",
                                 "gasket/ground_truth/blob/000_mask.png",
                                 "gasket/ground_truth/missing/000_mask.png"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        EadImage image;
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        bool is_mask = strstr(names[i], "_mask") != NULL;
        ck_assert_msg((is_mask ? ead_mask_load : ead_image_load)(path, &image) == EAD_OK, "%s",
                      ead_error_message());
        ck_assert(image.height == 48 && image.width == 64 && image.channels == (is_mask ? 1 : 3));
        ead_image_free(&image);
    }
    ck_assert_int_eq(run_synth(folder), EAD_BAD_FILE);
    ck_assert_str_eq(ead_error_message(), "2 mistakes; nothing was started"); /* both folders of it */
    ck_assert_int_eq(run_synth("Makefile"), EAD_IO);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("synth");
    TCase *tests = tcase_create("synth");
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, test_deterministic);
    tcase_add_test(tests, test_masks);
    tcase_add_test(tests, test_sizes);
    tcase_add_test(tests, test_textures);
    tcase_add_test(tests, test_command);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
