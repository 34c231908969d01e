/* Formats, and what files say of their numbers (bits, sign, alpha, orientation, pages, byte order), against
 * Pillow, and against every way of being broken. */
#include "data/codec/codec.h"

#include "test/support/scratch.h"
#include "test/golden/formats_golden.h"

#include <unistd.h>

#define GOLDEN  "test/golden/"
#define READING GOLDEN "reading/"
#define SCRATCH "build/scratch/codec_formats/"

enum { ROWS = sizeof golden_formats / sizeof *golden_formats };

static const char *golden_path(size_t row) {
    static char path[256];
    snprintf(path, sizeof path, GOLDEN "%s", golden_formats[row].file);
    return path;
}

/* What was told of the images read since the last call; free() it. */
static char *told(EadImageNotes *notes) {
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    ead_image_notes_print(notes, stream);
    fclose(stream);
    return text;
}

static void check_note(size_t row, EadImageNotes *notes) {
    static const char *const texts[] = {"", "no value is above",
                                        "pages or frames, of which the first is read",
                                        "of colours other than RGB", "one value in all pixels"};
    char *text = told(notes);
    const char *expected = texts[golden_formats[row].note];
    bool right = *expected ? strstr(text, expected) && strstr(text, golden_formats[row].file) : !*text;
    ck_assert_msg(right, "%s: told is '%s'", golden_path(row), text);
    free(text);
}

static void check_row(size_t row, EadImageNotes *notes) {
    const char *path = golden_path(row);
    EadImageRules rules = {
        .bits = golden_formats[row].bits, .white = golden_formats[row].white, .notes = notes};
    EadImage image;
    int width, height;
    EadStatus status = ead_image_load_with(path, &rules, &image);
    if (golden_formats[row].refused) {
        ck_assert_msg(status == EAD_UNSUPPORTED || status == EAD_BAD_FILE, "%s: is read", path);
        ck_assert_msg(strstr(ead_error_message(), golden_formats[row].refused) != NULL, "%s",
                      ead_error_message());
        ck_assert_ptr_null(image.pixels);
        return;
    }
    ck_assert_msg(status == EAD_OK, "%s", ead_error_message());
    ck_assert_msg(image.width == golden_formats[row].width && image.height == golden_formats[row].height,
                  "%s: is %d x %d", path, image.width, image.height);
    ck_assert_msg(image_hash(&image) == golden_formats[row].rgb, "%s with bits %d, white %d: other pixels",
                  path, rules.bits, rules.white);
    ead_image_free(&image);
    check_note(row, notes);
    ASSERT_OK(ead_image_size(path, NULL, &width, &height));
    ck_assert(width == golden_formats[row].width && height == golden_formats[row].height);
    if (!golden_formats[row].mask) return;
    ASSERT_OK(ead_mask_load(path, &image));
    ck_assert(image.channels == 1 && image.width == width && image.height == height);
    ck_assert_msg(image_hash(&image) == golden_formats[row].mask, "%s: other mask", path);
    ead_image_free(&image);
}

START_TEST(files_are_taken_at_their_word) {
    EadImageNotes *notes;
    ASSERT_OK(ead_image_notes_new(&notes));
    for (size_t row = 0; row < ROWS; row++) check_row(row, notes);
    ead_image_notes_free(notes);
}
END_TEST

/* Bytes are copied so that a sanitizer sees reads behind the end. A TIFF, and a JPEG with others behind it,
 * may lack what is not missed; then the pixels must be whole. Cut at the link behind a thumbnail it seems to hold no
 * more. */
START_TEST(truncated_anywhere) {
    for (size_t row = 0; row < ROWS; row++) {
        size_t size;
        if (golden_formats[row].bits || golden_formats[row].white) continue;
        uint8_t *bytes = read_bytes(golden_path(row), &size);
        for (size_t length = 0; length < size; length += 1 + length / 64) {
            EadImage image;
            uint8_t *part = malloc(length ? length : 1);
            memcpy(part, bytes, length);
            EadStatus status = ead_image_decode(part, length, "cut", &image);
            ck_assert((status == EAD_OK) == (image.pixels != NULL));
            if (status != EAD_OK) ck_assert(strncmp(ead_error_message(), "cut: ", 5) == 0);
            const char *file = golden_formats[row].file;
            bool more = strstr(file, ".tif") || strstr(file, "/index") || strstr(file, "/behind");
            bool thumbnail = strstr(file, "_first.tif") != NULL;
            bool whole = thumbnail || image_hash(&image) == golden_formats[row].rgb;
            ck_assert_msg(status != EAD_OK || (more && whole), "%s cut to %zu of %zu is read", file, length,
                          size);
            ead_image_free(&image);
            free(part);
        }
        free(bytes);
    }
}
END_TEST

START_TEST(flipped_bits) {
    for (size_t row = 0; row < ROWS; row++)
        if (row == 0 || strcmp(golden_formats[row].file, golden_formats[row - 1].file) != 0)
            decode_with_flipped_bits(golden_path(row));
}
END_TEST

/* Each kind once, with the count and the first three names. */
START_TEST(notes_are_told_once) {
    static const char *const files[] = {"low12.png", "low12.tif", "low8.png", "pages.tif", "low10_rgb.png"};
    EadImageNotes *notes;
    ASSERT_OK(ead_image_notes_new(&notes));
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char path[256];
        EadImage image;
        snprintf(path, sizeof path, READING "%s", files[i]);
        ASSERT_OK(ead_image_load_with(path, &(EadImageRules){.notes = notes}, &image));
        ead_image_free(&image);
    }
    char *text = told(notes);
    ck_assert_str_eq(
        text,
        "warning: 4 images of 16 bits, but no value is above 4095, so that they are read as nearly "
        "black; if their numbers have fewer bits, say how many: --bits 12, or dataset.bits: 12 in a "
        "config: " READING "low12.png, " READING "low12.tif, " READING "low8.png and 1 more\n"
        "warning: 1 image with up to 3 pages or frames, of which the first is read: " READING "pages.tif\n");
    free(text);
    text = told(notes);
    ck_assert_str_eq(text, "");
    free(text);
    ead_image_notes_free(notes);
}
END_TEST

/* The last pixel differs, or none does. */
START_TEST(flat_images_are_told) {
    uint8_t pixels[3 * 8 * 8];
    EadImage flat = {.width = 8, .height = 8, .channels = 3, .pixels = pixels}, image;
    EadImageNotes *notes;
    make_folders(SCRATCH);
    uint8_t bmp[54 + 16] = {'B', 'M', [10] = 54, [14] = 40, [18] = 2, [22] = 2, [26] = 1, [28] = 24};
    memset(bmp + 54, 7, 16);
    ASSERT_OK(ead_image_notes_new(&notes));
    for (int i = 0; i < 5; i++) {
        static const char *const names[] = {"flat.png", "last.png", "blue.png", "one.png", "flat.bmp"};
        char path[128];
        snprintf(path, sizeof path, SCRATCH "%s", names[i]);
        for (size_t k = 0; k < sizeof pixels; k++) pixels[k] = i == 2 && k % 3 == 2 ? 255 : 0;
        if (i == 1) pixels[sizeof pixels - 1] = 1;
        flat.width = flat.height = i == 3 ? 1 : 8;
        if (i < 4) ASSERT_OK(ead_png_write(path, &flat));
        if (i == 4) write_bytes(path, bmp, sizeof bmp);
        ASSERT_OK(ead_image_load_with(path, &(EadImageRules){.notes = notes}, &image));
        ead_image_free(&image);
    }
    char *text = told(notes);
    ck_assert_str_eq(
        text, "warning: 3 images with one value in all pixels, as of a camera that gave nothing: " SCRATCH
              "flat.png, " SCRATCH "blue.png, " SCRATCH "flat.bmp\n");
    free(text);
    ead_image_notes_free(notes);
}
END_TEST

START_TEST(lossy_formats_are_no_masks) {
    EadImage image;
    ASSERT_FAILS(ead_mask_load(READING "turned2.jpg", &image), EAD_UNSUPPORTED,
                 "turned2.jpg: a mask as JPEG, whose losses would be taken for defects");
    ASSERT_FAILS(ead_mask_load(READING "lossy.webp", &image), EAD_UNSUPPORTED,
                 "save masks as PNG, BMP or TIFF");
}
END_TEST

START_TEST(pixels_are_limited) {
    static const char *const files[] = {"full16.png", "turned2.jpg", "gray12.tif", "lossless.webp",
                                        "cmyk16.tif"};
    int width, height;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char path[256];
        EadImage image;
        snprintf(path, sizeof path, READING "%s", files[i]);
        ASSERT_OK(ead_image_load_with(path, &(EadImageRules){.max_pixels = 99}, &image));
        ead_image_free(&image);
        ASSERT_FAILS(ead_image_load_with(path, &(EadImageRules){.max_pixels = 98}, &image), EAD_BAD_FILE,
                     "11 x 9 pixels; at most 98 in all are read (dataset.max_pixels, --max-pixels)");
        ck_assert_ptr_null(image.pixels);
        ASSERT_OK(ead_image_size(path, &(EadImageRules){.max_pixels = 99}, &width, &height));
        ASSERT_FAILS(ead_image_size(path, &(EadImageRules){.max_pixels = 98}, &width, &height), EAD_BAD_FILE,
                     "11 x 9 pixels; at most 98 in all are read");
    }
}
END_TEST

START_TEST(sizes_of_png_and_jpeg) {
    int width = 0, height = 0;
    ASSERT_OK(ead_image_size(GOLDEN "codec/palette4_interlaced.png", NULL, &width, &height));
    ck_assert(width == 11 && height == 9);
    ASSERT_OK(ead_image_size(GOLDEN "codec/progressive.jpg", NULL, &width, &height));
    ck_assert(width == 16 && height == 13);
    ASSERT_FAILS(ead_image_size(GOLDEN "codec/none.png", NULL, &width, &height), EAD_IO,
                 "none.png: cannot read");
}
END_TEST

/* A BMP whose header holds another 32-bit number at an offset. */
static EadStatus decode_changed(const char *name, size_t offset, uint32_t value) {
    size_t size;
    char path[256];
    EadImage image;
    snprintf(path, sizeof path, GOLDEN "codec/%s", name);
    uint8_t *bytes = read_bytes(path, &size);
    for (int i = 0; i < 4; i++) bytes[offset + (size_t)i] = (uint8_t)(value >> 8 * i);
    EadStatus status = ead_image_decode(bytes, size, "changed", &image);
    ck_assert((status == EAD_OK) == (image.pixels != NULL));
    ead_image_free(&image);
    free(bytes);
    return status;
}

/* 10,000 x 10,000 pixels, 300 MB as RGB, in files of one bit or less a pixel. */
START_TEST(what_does_not_fit_into_memory_names_the_cure) {
    enum { SIDE = 10000, ROW = 1252, HEAD = 62, SIZE = HEAD + SIDE * ROW };
    static uint8_t bmp[SIZE] = {'B', 'M', [10] = HEAD, [14] = 40, [26] = 1, [28] = 1, [58] = 255};
    static const char *const files[] = {SCRATCH "large.bmp", SCRATCH "large.png"};
    EadImage image = {0};
    SKIP_UNLESS(!SANITIZED, "sanitizers need address space of their own");
    for (int i = 0; i < 2; i++) bmp[18 + 4 * i] = SIDE & 255, bmp[19 + 4 * i] = SIDE >> 8;
    write_bytes(files[0], bmp, SIZE);
    ASSERT_OK(ead_image_alloc(&image, SIDE, SIDE, 3));
    memset(image.pixels, 0, 3 * (size_t)SIDE * SIDE);
    ASSERT_OK(ead_png_write(files[1], &image));
    ead_image_free(&image);
    SKIP_UNLESS(leave_memory(100000000), "address space is limited already");
    for (int i = 0; i < 2; i++) {
        ASSERT_FAILS(ead_image_load(files[i], &image), EAD_NO_MEMORY,
                     "; save it smaller, or lower dataset.max_pixels");
        ck_assert_msg(strncmp(ead_error_message(), files[i], strlen(files[i])) == 0, "%s",
                      ead_error_message());
        ASSERT_FAILS(ead_image_load_with(files[i], &(EadImageRules){.max_pixels = 1000000}, &image),
                     EAD_BAD_FILE, "at most 1000000 in all are read");
    }
}
END_TEST

START_TEST(bmp_headers_are_checked) {
    enum { PIXELS = 10, HEADER = 14, BMP_WIDTH = 18, BMP_HEIGHT = 22, COMPRESSION = 30, COLOURS = 46 };
    ASSERT_OK(decode_changed("rgb24.bmp", BMP_WIDTH, 10));
    ASSERT_FAILS(decode_changed("rgb24.bmp", BMP_WIDTH, 70000), EAD_BAD_FILE, "70000 x 9 pixels");
    ASSERT_FAILS(decode_changed("rgb24.bmp", BMP_WIDTH, 0), EAD_BAD_FILE, "changed: 0 x 9");
    ASSERT_FAILS(decode_changed("rgb24.bmp", BMP_WIDTH, 0x80000000u), EAD_BAD_FILE, "changed: 0 x 9");
    ASSERT_FAILS(decode_changed("rgb24.bmp", BMP_HEIGHT, 0x80000000u), EAD_BAD_FILE,
                 "changed: 11 x 2147483648");
    ASSERT_FAILS(decode_changed("rgb24.bmp", BMP_HEIGHT, 30000), EAD_BAD_FILE,
                 "cannot hold 11 x 30000 pixels");
    ASSERT_FAILS(decode_changed("rgb24.bmp", BMP_HEIGHT, 10), EAD_BAD_FILE,
                 "truncated BMP: it ends after 378 bytes");
    ASSERT_FAILS(decode_changed("rgb24.bmp", PIXELS, 0xFFFFFFFFu), EAD_BAD_FILE, "truncated BMP");
    ASSERT_FAILS(decode_changed("rgb24.bmp", HEADER, 39), EAD_BAD_FILE, "a header of 39 bytes");
    ASSERT_FAILS(decode_changed("palette8.bmp", COMPRESSION, 1), EAD_UNSUPPORTED,
                 "8 bits with compression 1");
    ASSERT_FAILS(decode_changed("rgb24.bmp", COMPRESSION, 3), EAD_UNSUPPORTED, "24 bits with compression 3");
    ASSERT_OK(
        decode_changed("palette8.bmp", COLOURS, 3)); /* pixels beyond the palette take its first colour */
}
END_TEST

START_TEST(what_is_no_image) {
    EadImage image;
    write_bytes(SCRATCH "stub.tif", "II*\0\x08\0\0\0", 8);
    ASSERT_FAILS(ead_image_load(SCRATCH "stub.tif", &image), EAD_BAD_FILE,
                 "stub.tif: damaged or truncated TIFF");
    ck_assert(ead_image_has_known_extension("a.BMP") && ead_image_has_known_extension("b.tif"));
    ck_assert(ead_image_has_known_extension("c.Tiff"));
}
END_TEST

int main(void) {
    Suite *suite = suite_create("codec_formats");
    TCase *tests = tcase_create("codec_formats");
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, files_are_taken_at_their_word);
    tcase_add_test(tests, sizes_of_png_and_jpeg);
    tcase_add_test(tests, truncated_anywhere);
    tcase_add_test(tests, flipped_bits);
    tcase_add_test(tests, notes_are_told_once);
    tcase_add_test(tests, flat_images_are_told);
    tcase_add_test(tests, lossy_formats_are_no_masks);
    tcase_add_test(tests, pixels_are_limited);
    tcase_add_test(tests, what_does_not_fit_into_memory_names_the_cure);
    tcase_add_test(tests, bmp_headers_are_checked);
    tcase_add_test(tests, what_is_no_image);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
