/* The pictures of predict and eval: outlines of regions, verdict and colour bar; the letters. */
#include "test/support/scratch.h"
#include "train/report/bitmap_font.h"
#include "train/report/overlay.h"

#include <math.h>

static bool is_color(const EadImage *image, int x, int y, int r, int g, int b) {
    const uint8_t *p = image->pixels + 3 * (y * image->width + x);
    return p[0] == r && p[1] == g && p[2] == b;
}

/* Around a block of 4 x 3 pixels a white ring of one pixel, around that a black one; inside the heat stays. */
START_TEST(regions_are_outlined) {
    enum { SIDE = 24 };
    float map[SIDE * SIDE] = {0};
    EadImage rgb, out;
    fill_image(&rgb, SIDE, SIDE, 3, 100);
    for (int y = 10; y < 13; y++)
        for (int x = 8; x < 12; x++) map[y * SIDE + x] = 0.5f;
    map[0] = 0.4f; /* below the threshold */
    EadOverlay overlay = {.rgb = &rgb, .map = map, .heat = {0, 1, 0.5f}, .regions = true};
    ASSERT_OK(ead_overlay_render(&overlay, &out));
    ck_assert(out.width == SIDE && out.height == SIDE);
    for (int y = 1; y < SIDE; y++)
        for (int x = 1; x < SIDE; x++) {
            int dx = x < 8 ? 8 - x : x > 11 ? x - 11 : 0, dy = y < 10 ? 10 - y : y > 12 ? y - 12 : 0;
            int away = dx > dy ? dx : dy;
            int gray = away == 1 ? 255 : away == 2 ? 0 : 100;
            ck_assert_msg(is_color(&out, x, y, gray, gray, gray) == (away > 0), "at %d, %d", x, y);
        }
    ck_assert(!is_color(&out, 0, 0, 255, 255, 255) && is_color(&out, 1, 1, 100, 100, 100));
    ead_image_free(&out);
    overlay.heat.threshold = NAN; /* not known: no region */
    ASSERT_OK(ead_overlay_render(&overlay, &out));
    ck_assert(is_color(&out, 7, 10, 100, 100, 100));
    ead_image_free(&out);
    ead_image_free(&rgb);
}
END_TEST

/* Pixels of a colour in a picture. */
static int count_color(const EadImage *image, int r, int g, int b) {
    int count = 0;
    for (int y = 0; y < image->height; y++)
        for (int x = 0; x < image->width; x++) count += is_color(image, x, y, r, g, b);
    return count;
}

/* Any size is drawn, and keeps its size; the tag is green or red and stands where no region is. */
START_TEST(verdicts_fit_any_size) {
    static const int sizes[][2] = {{1, 1}, {8, 8}, {30, 200}, {200, 30}, {64, 64}, {320, 320}, {1300, 900}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        int width = sizes[i][0], height = sizes[i][1];
        EadImage rgb, out;
        fill_image(&rgb, width, height, 3, 100);
        float *map = calloc((size_t)width * (size_t)height, sizeof *map);
        ck_assert_ptr_nonnull(map);
        for (int y = 0; y < height / 4; y++)
            for (int x = 0; x < width / 4; x++) map[y * width + x] = 1; /* at the upper left */
        for (int bad = 0; bad < 2; bad++) {
            EadOverlay overlay = {.rgb = &rgb,
                                  .map = map,
                                  .heat = {0, 1, 0.5f},
                                  .regions = true,
                                  .legend = true,
                                  .score = bad ? 0.75f : 0.25f,
                                  .threshold = 0.75};
            ASSERT_OK(ead_overlay_render(&overlay, &out));
            ck_assert(out.width == width && out.height == height);
            int green = count_color(&out, 24, 128, 56), red = count_color(&out, 200, 30, 30);
            bool room = width >= 30 && height >= 30;
            ck_assert_msg(bad ? !green && (red > 0) == room : !red && (green > 0) == room, "%d x %d", width,
                          height);
            if (width >= 320) ck_assert(!is_color(&out, 4, 4, bad ? 200 : 24, bad ? 30 : 128, bad ? 30 : 56));
            ead_image_free(&out);
        }
        free(map);
        ead_image_free(&rgb);
    }
}
END_TEST

START_TEST(letters_are_drawn_and_cut_off) {
    static const uint8_t ink[3] = {1, 2, 3};
    static const char *const rows[] = {"..#..", ".##..", "..#..", "..#..", "..#..", "..#..", ".###."}; /* 1 */
    EadImage image;
    fill_image(&image, 40, 20, 3, 9);
    ck_assert(ead_font_width("", 2) == 0 && ead_font_width("1", 2) == 10 && ead_font_width("-1", 2) == 22);
    ead_font_draw(&image, "1", 3, 2, 2, ink);
    for (int y = 0; y < 14; y++)
        for (int x = 0; x < 10; x++)
            ck_assert_int_eq(is_color(&image, 3 + x, 2 + y, 1, 2, 3), rows[y / 2][x / 2] == '#');
    ck_assert_int_eq(count_color(&image, 1, 2, 3), 4 * 10);
    ead_font_draw(&image, "OK NG 0123456789.-+e<>=?", -3, -3, 3, ink);
    ead_font_draw(&image, "NG", 35, 15, 4, ink);
    ead_image_free(&image);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("overlay");
    TCase *tests = tcase_create("overlay");
    tcase_add_test(tests, regions_are_outlined);
    tcase_add_test(tests, verdicts_fit_any_size);
    tcase_add_test(tests, letters_are_drawn_and_cut_off);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
