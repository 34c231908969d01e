/* BMP and TIFF against Pillow and tifffile, and against every way of being broken. */
#include "data/codec/codec.h"

#include "test/support/scratch.h"
#include "test/golden/formats_golden.h"

#include <unistd.h>

#define SCRATCH "build/scratch/codec_formats/"
#define GOLDEN  "test/golden/codec/"

enum { FORMATS = sizeof golden_formats / sizeof *golden_formats };

static const char *golden_path(size_t index) {
    static char path[256];
    snprintf(path, sizeof path, GOLDEN "%s", golden_formats[index].file);
    return path;
}

START_TEST(formats_as_pillow) {
    for (size_t i = 0; i < FORMATS; i++) {
        EadImage image;
        int width = 0, height = 0;
        ASSERT_OK(ead_image_load(golden_path(i), &image));
        ck_assert(image.width == 11 && image.height == 9 && image.channels == 3);
        ck_assert_msg(image_hash(&image) == golden_formats[i].rgb, "%s: other pixels", golden_path(i));
        ASSERT_OK(ead_image_size(golden_path(i), &width, &height));
        ck_assert(width == 11 && height == 9);
        ead_image_free(&image);
    }
}
END_TEST

START_TEST(sizes_of_png_and_jpeg) {
    int width = 0, height = 0;
    ASSERT_OK(ead_image_size(GOLDEN "palette4_interlaced.png", &width, &height));
    ck_assert(width == 11 && height == 9);
    ASSERT_OK(ead_image_size(GOLDEN "progressive.jpg", &width, &height));
    ck_assert(width == 16 && height == 13);
    ASSERT_FAILS(ead_image_size(GOLDEN "none.png", &width, &height), EAD_IO, "none.png: cannot read");
}
END_TEST

/* Bytes are copied so that a sanitizer sees reads behind the end. A TIFF may have something behind its pixels
 * that is not missed; then the pixels must be whole. */
START_TEST(formats_truncated_anywhere) {
    for (size_t i = 0; i < FORMATS; i++) {
        size_t size;
        uint8_t *bytes = read_bytes(golden_path(i), &size);
        for (size_t length = 1; length < size; length++) {
            EadImage image;
            uint8_t *part = malloc(length);
            ck_assert_ptr_nonnull(part);
            memcpy(part, bytes, length);
            EadStatus status = ead_image_decode(part, length, "cut", &image);
            ck_assert((status == EAD_OK) == (image.pixels != NULL));
            bool tiff = strstr(golden_formats[i].file, ".tif") != NULL;
            ck_assert_msg(status != EAD_OK || (tiff && image_hash(&image) == golden_formats[i].rgb),
                          "%s cut to %zu of %zu is read", golden_formats[i].file, length, size);
            if (status != EAD_OK) ck_assert(strncmp(ead_error_message(), "cut: ", 5) == 0);
            ead_image_free(&image);
            free(part);
        }
        free(bytes);
    }
}
END_TEST

START_TEST(formats_with_flipped_bits) {
    for (size_t i = 0; i < FORMATS; i++) decode_with_flipped_bits(golden_path(i));
}
END_TEST

/* A BMP whose header holds another 32-bit number at an offset. */
static EadStatus decode_changed(const char *name, size_t offset, uint32_t value) {
    size_t size;
    char path[256];
    EadImage image;
    snprintf(path, sizeof path, GOLDEN "%s", name);
    uint8_t *bytes = read_bytes(path, &size);
    for (int i = 0; i < 4; i++) bytes[offset + (size_t)i] = (uint8_t)(value >> 8 * i);
    EadStatus status = ead_image_decode(bytes, size, "changed", &image);
    ck_assert((status == EAD_OK) == (image.pixels != NULL));
    ead_image_free(&image);
    free(bytes);
    return status;
}

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

START_TEST(what_is_no_image_or_mask) {
    EadImage image;
    ASSERT_FAILS(ead_image_load(GOLDEN "float.tif", &image), EAD_UNSUPPORTED,
                 "float.tif: a floating-point TIFF, such as an anomaly map, is not an image");
    ASSERT_FAILS(ead_mask_load(GOLDEN "gray8.tif", &image), EAD_UNSUPPORTED, "gray8.tif: is not a PNG");
    ASSERT_FAILS(ead_mask_load(GOLDEN "palette1.bmp", &image), EAD_UNSUPPORTED, "save masks as PNG");
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
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, formats_as_pillow);
    tcase_add_test(tests, sizes_of_png_and_jpeg);
    tcase_add_test(tests, formats_truncated_anywhere);
    tcase_add_test(tests, formats_with_flipped_bits);
    tcase_add_test(tests, bmp_headers_are_checked);
    tcase_add_test(tests, what_is_no_image_or_mask);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
