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

/* The legend stands in a strip below the image, whose pixels are those of a picture without legend. Any size has what its
 * width has room for; the tag is green or red. */
START_TEST(legends_hide_nothing) {
    static const struct {
        int width, height, strip;
        bool tag;
    } sizes[] = {{1, 1, 0, false},      {8, 8, 0, false},      {30, 200, 22, true},   {64, 64, 42, true},
                 {128, 128, 42, true},  {200, 30, 22, true},   {256, 256, 22, true},  {320, 320, 22, true},
                 {1024, 768, 88, true}, {1300, 900, 88, true}, {20, 65530, 0, false}, {60, 65530, 0, false},
                 {65535, 1, 22, true},  {8192, 100, 88, true}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        int width = sizes[i].width, height = sizes[i].height;
        size_t pixels = (size_t)width * (size_t)height;
        EadImage rgb, out, plain;
        fill_image(&rgb, width, height, 3, 100);
        float *map = calloc(pixels, sizeof *map);
        ck_assert_ptr_nonnull(map);
        for (int y = height - height / 4; y < height; y++)
            for (int x = 0; x < width; x++) map[y * width + x] = 1; /* where legends were once */
        for (int bad = 0; bad < 2; bad++) {
            EadOverlay overlay = {.rgb = &rgb, .map = map, .heat = {0, 1, 0.5f}, .regions = true};
            ASSERT_OK(ead_overlay_render(&overlay, &plain));
            ck_assert(plain.width == width && plain.height == height);
            overlay.legend = true;
            overlay.score = bad ? 0.75f : 0.25f;
            overlay.threshold = 0.75;
            ASSERT_OK(ead_overlay_render(&overlay, &out));
            ck_assert_int_eq(out.width, width);
            ck_assert_msg(out.height == height + sizes[i].strip, "%d x %d: %d", width, height, out.height);
            ck_assert_mem_eq(out.pixels, plain.pixels, 3 * pixels);
            int green = count_color(&out, 24, 128, 56), red = count_color(&out, 200, 30, 30);
            ck_assert_msg(bad ? !green && (red > 0) == sizes[i].tag : !red && (green > 0) == sizes[i].tag,
                          "%d x %d", width, height);
            ead_image_free(&plain);
            ead_image_free(&out);
        }
        free(map);
        ead_image_free(&rgb);
    }
}
END_TEST

/* Without threshold the bar stands alone; without heat, too, there is no strip. */
START_TEST(legends_have_what_is_known) {
    enum { SIDE = 100 };
    float map[SIDE * SIDE] = {0};
    EadImage rgb, out;
    fill_image(&rgb, SIDE, SIDE, 3, 100);
    EadOverlay overlay = {
        .rgb = &rgb, .map = map, .heat = {0, 1, 0.5f}, .legend = true, .threshold = (double)NAN};
    ASSERT_OK(ead_overlay_render(&overlay, &out));
    ck_assert_int_eq(out.height, SIDE + 22);
    ead_image_free(&out);
    overlay.heat.high = 0;
    ASSERT_OK(ead_overlay_render(&overlay, &out));
    ck_assert_int_eq(out.height, SIDE);
    ead_image_free(&out);
    ead_image_free(&rgb);
}
END_TEST

/* The legend of an image so wide with a threshold of 0.17232. */
static EadImage legend_of(int width, float score) {
    EadImage rgb, out;
    fill_image(&rgb, width, 40, 3, 100);
    EadOverlay overlay = {.rgb = &rgb, .legend = true, .score = score, .threshold = 0.17232};
    ASSERT_OK(ead_overlay_render(&overlay, &out));
    ead_image_free(&rgb);
    return out;
}

/* Three digits would be 0.172 < 0.172; where more have no room these stay. */
START_TEST(scores_near_the_threshold_are_told_from_it) {
    for (int narrow = 0; narrow < 2; narrow++) {
        EadImage near = legend_of(narrow ? 116 : 320, 0.17216f), nearer = legend_of(near.width, 0.17226f);
        ck_assert_uint_eq(image_bytes(&near), image_bytes(&nearer));
        bool same = memcmp(near.pixels, nearer.pixels, image_bytes(&near)) == 0;
        ck_assert_msg(same == (narrow > 0), "%d wide", near.width);
        int dark = 0; /* of the strip, where neither tag nor numbers are */
        for (int x = 60; x < 110; x++) dark += is_color(&near, x, 40 + 11, 32, 32, 32);
        ck_assert_int_lt(dark, 50);
        ead_image_free(&near);
        ead_image_free(&nearer);
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
    tcase_add_test(tests, legends_hide_nothing);
    tcase_add_test(tests, legends_have_what_is_known);
    tcase_add_test(tests, scores_near_the_threshold_are_told_from_it);
    tcase_add_test(tests, letters_are_drawn_and_cut_off);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
