/* The resize against Pillow, to the bit. */
#include "core/image/image.h"

#include "test/support/scratch.h"
#include "test/golden/data_golden.h"

static void check_resize(const GoldenResize *golden, ptrdiff_t padding) {
    ptrdiff_t row = (ptrdiff_t)golden->width * golden->channels, stride = row + padding;
    size_t out_size = (size_t)golden->to_width * (size_t)golden->to_height * (size_t)golden->channels;
    size_t size = (size_t)row * (size_t)golden->height;
    uint8_t *noise = malloc(size), *pixels = calloc((size_t)stride, (size_t)golden->height);
    uint8_t *out = malloc(out_size);
    fill_noise(noise, size, (uint32_t)(golden->width * 1000 + golden->height));
    for (int y = 0; y < golden->height; y++) memcpy(pixels + y * stride, noise + y * row, (size_t)row);
    ASSERT_OK(ead_resize_u8(pixels, golden->width, golden->height, golden->channels, stride, out,
                            golden->to_width, golden->to_height));
    ck_assert_msg(fnv(out, out_size) == golden->hash, "%d x %d to %d x %d, %d channels: other than Pillow",
                  golden->width, golden->height, golden->to_width, golden->to_height, golden->channels);
    free(noise);
    free(pixels);
    free(out);
}

START_TEST(as_pillow) {
    for (size_t i = 0; i < sizeof golden_resize / sizeof *golden_resize; i++) {
        check_resize(&golden_resize[i], 0);
        check_resize(&golden_resize[i], 5);
    }
}
END_TEST

/* Pillow 13 takes the columns first here, which rounds differently: 1 level at most. */
START_TEST(within_one_level_of_the_other_order) {
    uint8_t pixels[20 * 60], out[24 * 16];
    fill_noise(pixels, sizeof pixels, 20060);
    ASSERT_OK(ead_resize_u8(pixels, 20, 60, 1, 20, out, 24, 16));
    for (size_t i = 0; i < sizeof out; i++) ck_assert_int_le(abs(out[i] - golden_resize_20_60_24_16[i]), 1);
}
END_TEST

/* White must stay white: rounded weights may sum to a little more or less than 1. */
START_TEST(constant_stays_constant) {
    enum { SIDE = 120 };
    uint8_t *pixels = malloc(SIDE * SIDE * 3), *out = malloc(SIDE * SIDE * 3);
    memset(pixels, 255, SIDE * SIDE * 3);
    for (int side = 1; side <= SIDE; side++) {
        ASSERT_OK(ead_resize_u8(pixels, SIDE, SIDE, 3, SIDE * 3, out, side, SIDE + 1 - side));
        ck_assert_mem_eq(out, pixels, (size_t)(side * (SIDE + 1 - side) * 3));
    }
    free(pixels);
    free(out);
}
END_TEST

START_TEST(bad_sizes) {
    uint8_t pixel[3] = {0};
    ASSERT_FAILS(ead_resize_u8(pixel, 1, 1, 3, 3, pixel, 0, 1), EAD_BAD_SHAPE, "to 0 x 1");
    ASSERT_FAILS(ead_resize_u8(pixel, 65536, 1, 3, 3, pixel, 1, 1), EAD_BAD_SHAPE, "65536");
    ASSERT_FAILS(ead_resize_u8(pixel, 1, 1, 2, 3, pixel, 1, 1), EAD_BAD_SHAPE, "2 channels");
}
END_TEST

int main(void) {
    Suite *suite = suite_create("resize_u8");
    TCase *tests = tcase_create("resize_u8");
    tcase_add_test(tests, as_pillow);
    tcase_add_test(tests, within_one_level_of_the_other_order);
    tcase_add_test(tests, constant_stays_constant);
    tcase_add_test(tests, bad_sizes);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
