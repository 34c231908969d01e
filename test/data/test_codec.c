/* PNG and JPEG against Pillow, and against every way of being broken. */
#include "data/codec/codec.h"

#include "test/support/scratch.h"
#include "test/support/png_checksum.h"
#include "test/golden/data_golden.h"

#include <limits.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#define SCRATCH "build/scratch/codec/"
#define GOLDEN  "test/golden/codec/"

static void check_png(const GoldenPng *golden) {
    char path[256];
    EadImage image;
    snprintf(path, sizeof path, GOLDEN "%s", golden->file);
    ASSERT_OK(ead_image_load(path, &image));
    ck_assert(image.width == 11 && image.height == 9 && image.channels == 3);
    ck_assert_msg(image_hash(&image) == golden->rgb, "%s: other pixels than Pillow", path);
    ead_image_free(&image);
    ASSERT_OK(ead_mask_load(path, &image));
    ck_assert(image.width == 11 && image.height == 9 && image.channels == 1);
    ck_assert_msg(image_hash(&image) == golden->mask, "%s: wrong mask", path);
    ead_image_free(&image);
}

START_TEST(png_of_every_kind) {
    for (size_t i = 0; i < sizeof golden_png / sizeof *golden_png; i++) check_png(&golden_png[i]);
}
END_TEST

static void check_jpeg(const char *path, const uint8_t *golden, size_t size) {
    EadImage image;
    ASSERT_OK(ead_image_load(path, &image));
    ck_assert(image.width == 16 && image.height == 13 && image_bytes(&image) == size);
    for (size_t i = 0; i < size; i++)
        ck_assert_msg(abs(image.pixels[i] - golden[i]) <= 1, "%s: value %zu is %d, Pillow's %d", path, i,
                      image.pixels[i], golden[i]);
    ead_image_free(&image);
}

START_TEST(jpeg_as_pillow) {
    check_jpeg(GOLDEN "baseline.jpg", golden_jpeg_baseline, sizeof golden_jpeg_baseline);
    check_jpeg(GOLDEN "progressive.jpg", golden_jpeg_progressive, sizeof golden_jpeg_progressive);
    check_jpeg(GOLDEN "full_chroma.jpg", golden_jpeg_full_chroma, sizeof golden_jpeg_full_chroma);
    check_jpeg(GOLDEN "gray.jpg", golden_jpeg_gray, sizeof golden_jpeg_gray);
}
END_TEST

START_TEST(cmyk_is_refused) {
    EadImage image;
    ASSERT_FAILS(ead_image_load(GOLDEN "cmyk.jpg", &image), EAD_UNSUPPORTED, "cmyk.jpg: a CMYK JPEG");
    ck_assert_ptr_null(image.pixels);
}
END_TEST

START_TEST(a_jpeg_is_no_mask) {
    EadImage image;
    ASSERT_FAILS(ead_mask_load(GOLDEN "gray.jpg", &image), EAD_UNSUPPORTED,
                 "gray.jpg: a mask as JPEG, whose losses");
}
END_TEST

/* Each prefix of the file must be refused; bytes are copied so that a sanitizer sees reads behind the end. */
static void check_truncations(const char *path) {
    size_t size;
    EadImage image;
    uint8_t *bytes = read_bytes(path, &size);
    for (size_t length = 0; length < size; length++) {
        uint8_t *part = malloc(length ? length : 1);
        memcpy(part, bytes, length);
        EadStatus status = ead_image_decode(part, length, "cut", &image);
        ck_assert_msg(status == EAD_BAD_FILE || status == EAD_UNSUPPORTED, "%s cut to %zu of %zu: %s", path,
                      length, size, ead_status_name(status));
        ck_assert_ptr_null(image.pixels);
        ck_assert(strncmp(ead_error_message(), "cut: ", 5) == 0);
        free(part);
    }
    free(bytes);
}

START_TEST(truncated_anywhere) {
    static const char *const jpegs[] = {"baseline", "progressive", "full_chroma", "gray", "cmyk"};
    char path[256];
    for (size_t i = 0; i < sizeof golden_png / sizeof *golden_png; i++) {
        snprintf(path, sizeof path, GOLDEN "%s", golden_png[i].file);
        check_truncations(path);
    }
    for (size_t i = 0; i < sizeof jpegs / sizeof *jpegs; i++) {
        snprintf(path, sizeof path, GOLDEN "%s.jpg", jpegs[i]);
        check_truncations(path);
    }
}
END_TEST

START_TEST(flipped_bits) {
    static const char *const files[] = {"rgb8_interlaced.png", "palette4.png", "progressive.jpg",
                                        "baseline.jpg"};
    char path[256];
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        snprintf(path, sizeof path, GOLDEN "%s", files[i]);
        decode_with_flipped_bits(path);
    }
}
END_TEST

START_TEST(files_that_are_no_images) {
    EadImage image;
    write_bytes(SCRATCH "empty.png", "", 0);
    ASSERT_FAILS(ead_image_load(SCRATCH "empty.png", &image), EAD_BAD_FILE, "empty.png: the file is empty");
    write_bytes(SCRATCH "wrong.png", "\x00\x11\x22\x33\x44", 5);
    ASSERT_FAILS(
        ead_image_load(SCRATCH "wrong.png", &image), EAD_BAD_FILE,
        "wrong.png: not an image of a known format (PNG, JPEG, BMP, TIFF, WebP): it starts with 00 11 22 33");
    ASSERT_FAILS(ead_image_load(SCRATCH, &image), EAD_IO, "is a folder");
    ASSERT_FAILS(ead_image_load(SCRATCH "none.png", &image), EAD_IO, "none.png: cannot read: No such file");
    unlink(SCRATCH "pipe.png");
    ck_assert_int_eq(mkfifo(SCRATCH "pipe.png", 0666), 0);
    ASSERT_FAILS(ead_image_load(SCRATCH "pipe.png", &image), EAD_IO, "not a regular file");
    ASSERT_FAILS(ead_mask_load(SCRATCH "empty.png", &image), EAD_BAD_FILE, "empty.png: the file is empty");
}
END_TEST

START_TEST(content_counts_not_extension) {
    size_t size;
    EadImage image;
    uint8_t *bytes = read_bytes(GOLDEN "baseline.jpg", &size);
    write_bytes(SCRATCH "jpeg.png", bytes, size);
    check_jpeg(SCRATCH "jpeg.png", golden_jpeg_baseline, sizeof golden_jpeg_baseline);
    ASSERT_OK(ead_image_decode(bytes, size, "memory", &image));
    ead_image_free(&image);
    free(bytes);
}
END_TEST

/* A good PNG whose header claims other sizes: bytes 16..23 are width and height, 29..32 the header's CRC. */
static EadStatus decode_with_size(uint32_t width, uint32_t height) {
    size_t size;
    EadImage image;
    uint8_t *bytes = read_bytes(GOLDEN "rgb8.png", &size);
    put_big_endian(bytes + 16, width);
    put_big_endian(bytes + 20, height);
    put_big_endian(bytes + 29, crc32_of(bytes + 12, 17));
    EadStatus status = ead_image_decode(bytes, size, "bomb", &image);
    ck_assert((status == EAD_OK) == (image.pixels != NULL));
    ead_image_free(&image);
    free(bytes);
    return status;
}

START_TEST(bombs_are_refused_before_allocation) {
    ASSERT_OK(decode_with_size(11, 9));
    ASSERT_FAILS(decode_with_size(65536, 1), EAD_BAD_FILE, "bomb: 65536 x 1 pixels; each side");
    ASSERT_FAILS(decode_with_size(65535, 65535), EAD_BAD_SHAPE,
                 "bomb: 65535 x 65535 pixels; at most 268435456 in all");
    ASSERT_FAILS(decode_with_size(16000, 16000), EAD_BAD_FILE, "cannot hold 16000 x 16000 pixels");
    ASSERT_FAILS(decode_with_size(0, 9), EAD_BAD_FILE, "bomb: ");
    ASSERT_FAILS(decode_with_size(300, 300), EAD_BAD_FILE, "bomb: ");
}
END_TEST

/* A good PNG with more compressed pixels than its size needs, in a chunk before its last 12 bytes. */
static EadStatus decode_with_more(size_t more) {
    size_t size;
    EadImage image;
    uint8_t *good = read_bytes(GOLDEN "rgb8.png", &size), *bytes = calloc(size + more + 12, 1),
            *chunk = bytes + size - 12;
    memcpy(bytes, good, size - 12);
    put_big_endian(chunk, (uint32_t)more);
    memcpy(chunk + 4, "IDAT", 4);
    put_big_endian(chunk + 8 + more, crc32_of(chunk + 4, more + 4));
    memcpy(chunk + 12 + more, good + size - 12, 12);
    EadStatus status = ead_image_decode(bytes, size + more + 12, "bomb", &image);
    ead_image_free(&image);
    free(good);
    free(bytes);
    return status;
}

/* They would be unpacked to be thrown away, gigabytes of them. */
START_TEST(pixels_behind_the_last_are_not_unpacked) {
    ASSERT_OK(decode_with_more(100));
    ASSERT_FAILS(decode_with_more(100000), EAD_BAD_FILE,
                 "bomb: damaged PNG: pixels go on behind the last row");
}
END_TEST

static void check_round_trip(int width, int height, int channels) {
    EadImage image, back;
    uint8_t *bytes;
    size_t size;
    write_noise_png(SCRATCH "trip.png", width, height, channels, 5);
    ASSERT_OK(channels == 3 ? ead_image_load(SCRATCH "trip.png", &image)
                            : ead_mask_load(SCRATCH "trip.png", &image));
    ck_assert(image.width == width && image.height == height && image.channels == channels);
    uint8_t *noise = malloc(image_bytes(&image));
    fill_noise(noise, image_bytes(&image), 5);
    ck_assert_mem_eq(image.pixels, noise, image_bytes(&image));
    ASSERT_OK(ead_png_encode(&image, &bytes, &size));
    ASSERT_OK(ead_image_decode(bytes, size, "memory", &back));
    ck_assert_int_eq(back.pixels[0], noise[0]);
    ead_image_free(&image);
    ead_image_free(&back);
    free(noise);
    free(bytes);
}

START_TEST(png_round_trip) {
    check_round_trip(1, 1, 3);
    check_round_trip(33, 7, 3);
    check_round_trip(33, 7, 1);
}
END_TEST

START_TEST(png_write_errors) {
    EadImage image;
    ASSERT_OK(ead_image_alloc(&image, 2, 2, 3));
    memset(image.pixels, 0, 12);
    ASSERT_FAILS(ead_png_write(SCRATCH "no/such/folder.png", &image), EAD_IO, "folder.png: cannot write");
    ead_image_free(&image);
}
END_TEST

/* A file size limit stands in for a full disk. */
START_TEST(disk_full) {
    struct rlimit before, small;
    EadImage image;
    ASSERT_OK(ead_image_alloc(&image, 64, 64, 3));
    fill_noise(image.pixels, image_bytes(&image), 1);
    unlink(SCRATCH "full.png");
    signal(SIGXFSZ, SIG_IGN);
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
    for (rlim_t limit = 0; limit < 12000; limit += 1500) {
        small = before;
        small.rlim_cur = limit;
        ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
        EadStatus status = ead_png_write(SCRATCH "full.png", &image);
        ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &before), 0);
        ck_assert_int_eq(status, EAD_IO);
        ck_assert(strstr(ead_error_message(), "full.png: cannot write: File too large") != NULL);
    }
    ck_assert_int_eq(system("ls " SCRATCH " | grep -q full"), 1 << 8);
    ead_image_free(&image);
}
END_TEST

START_TEST(known_extensions) {
    ck_assert(ead_image_has_known_extension("a.png") && ead_image_has_known_extension("b.c/A.JPG"));
    ck_assert(ead_image_has_known_extension("x.JPeg"));
    ck_assert(!ead_image_has_known_extension("png") && !ead_image_has_known_extension("a.png.txt"));
    ck_assert(!ead_image_has_known_extension("a.") && !ead_image_has_known_extension(""));
}
END_TEST

START_TEST(image_sizes) {
    EadImage image;
    ASSERT_FAILS(ead_image_alloc(&image, 0, 5, 3), EAD_BAD_SHAPE, "0 x 5");
    ASSERT_FAILS(ead_image_alloc(&image, 65536, 5, 3), EAD_BAD_SHAPE, "65536 x 5");
    ASSERT_FAILS(ead_image_alloc(&image, 5, INT_MAX, 3), EAD_BAD_SHAPE, "each side");
    ASSERT_FAILS(ead_image_alloc(&image, 5, 5, 4), EAD_BAD_SHAPE, "4 channels");
    ead_image_free(&image);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("codec");
    TCase *tests = tcase_create("codec");
    tcase_add_test(tests, png_of_every_kind);
    tcase_add_test(tests, jpeg_as_pillow);
    tcase_add_test(tests, cmyk_is_refused);
    tcase_add_test(tests, a_jpeg_is_no_mask);
    tcase_add_test(tests, truncated_anywhere);
    tcase_add_test(tests, flipped_bits);
    tcase_add_test(tests, files_that_are_no_images);
    tcase_add_test(tests, content_counts_not_extension);
    tcase_add_test(tests, bombs_are_refused_before_allocation);
    tcase_add_test(tests, pixels_behind_the_last_are_not_unpacked);
    tcase_add_test(tests, png_round_trip);
    tcase_add_test(tests, png_write_errors);
    tcase_add_test(tests, disk_full);
    tcase_add_test(tests, known_extensions);
    tcase_add_test(tests, image_sizes);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
