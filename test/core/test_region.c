/* Regions of interest without a model: boxes as text, masks at another size, images and maps. */
#include "core/image/map.h"
#include "core/image/region.h"
#include "test/support/scratch.h"

enum { WIDE = 61, HIGH = 47, PIXELS = WIDE * HIGH, MOST = 128 };

START_TEST(boxes_are_four_numbers) {
    static const char *const wrong[] = {"1,2,3",       "1,2,3,4,5",
                                        "1,2,3,4 ",    "a,2,3,4",
                                        "-1,2,3,4",    "1,2,0,4",
                                        "1,2,3,",      "1,2,3,-4",
                                        "1;2;3;4",     "1,2,65535,4",
                                        "1,2,3,1e",    "1 ,2,3,4",
                                        "1,2,70000,4", "99999999999999999999,0,1,1"};
    EadRegion region = {0};
    char text[EAD_BOX_SIZE];
    ASSERT_OK(ead_region_set_box(&region, "12,0,640,480"));
    ck_assert(region.x == 12 && region.y == 0 && region.width == 640 && region.height == 480);
    ead_region_box_text(&region, text);
    ck_assert_str_eq(text, "12,0,640,480");
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        ASSERT_FAILS(ead_region_set_box(&region, wrong[i]), EAD_BAD_ARGUMENT,
                     "is no box; it must be x,y,width");
    ASSERT_OK(ead_region_set_box(&region, ""));
    ck_assert(ead_region_is_whole(&region));
}
END_TEST

/* An ellipse and a bar, of WIDE x HIGH. */
static void draw_mask(EadImage *mask) {
    ASSERT_OK(ead_image_alloc(mask, WIDE, HIGH, 1));
    for (int y = 0; y < HIGH; y++)
        for (int x = 0; x < WIDE; x++) {
            double u = (x - 25) / 19.0, v = (y - 22) / 15.0;
            mask->pixels[y * WIDE + x] = u * u + v * v < 1 || (x > 52 && y > 5) ? 255 : 0;
        }
}

typedef struct RegionSize {
    const char *box;
    int width, height; /* that images are brought to */
} RegionSize;

static const RegionSize sizes[] = {{"", 32, 32},          {"", 64, 64},          {"", WIDE, HIGH},
                                   {"", WIDE, 20},        {"4,5,50,30", 24, 24}, {"4,5,50,30", 50, 30},
                                   {"4,5,50,30", 128, 17}};

/* What lies outside can be anything: the image that a network gets is the same, to the bit; inside nothing is lost but
 * what a resized pixel shares with the outside. */
START_TEST(outside_never_comes_through) {
    const RegionSize *size = &sizes[_i];
    EadRegion region = {0};
    EadImage mask, image = {.width = WIDE, .height = HIGH, .channels = 3};
    uint8_t pixels[PIXELS * 3], noise[PIXELS * 3], first[MOST * MOST * 3], second[MOST * MOST * 3];
    int cells = size->width * size->height, inside = 0;
    draw_mask(&mask);
    ASSERT_OK(ead_region_set_box(&region, size->box));
    ASSERT_OK(ead_region_set_mask(&region, &mask, size->width, size->height));
    fill_noise(pixels, sizeof pixels, 1);
    fill_noise(noise, sizeof noise, 2);
    image.pixels = pixels;
    EadPixelRows rows = ead_image_rows(&image);
    ASSERT_OK(ead_region_resize(&region, &rows, first, size->width, size->height));
    for (int i = 0; i < PIXELS; i++)
        if (!mask.pixels[i]) memcpy(pixels + 3 * i, noise + 3 * i, 3);
    ASSERT_OK(ead_region_resize(&region, &rows, second, size->width, size->height));
    ck_assert_mem_eq(first, second, (size_t)cells * 3);
    for (int i = 0; i < cells; i++) inside += region.mask[i];
    ck_assert_int_gt(inside, cells / 8);
    ck_assert_int_lt(inside, cells * 3 / 4);
    memcpy(pixels + 3 * (22 * WIDE + 25), (uint8_t[]){0, 255, 7}, 3);
    ASSERT_OK(ead_region_resize(&region, &rows, second, size->width, size->height));
    ck_assert_mem_ne(first, second, (size_t)cells * 3);
    ead_image_free(&mask);
    ead_region_free(&region);
}
END_TEST

/* Reduced by 2, an output pixel is made of 4 pixels, of which the outer ones reach over the edge. */
START_TEST(a_mask_loses_half_a_cell_at_its_edge) {
    EadRegion region = {0};
    EadImage mask;
    uint8_t at_image[16 * 16];
    fill_image(&mask, 16, 16, 1, 0);
    for (int y = 0; y < 16; y++) memset(mask.pixels + 16 * y, 9, 8);
    ASSERT_OK(ead_region_set_mask(&region, &mask, 8, 8));
    for (int i = 0; i < 64; i++) ck_assert_int_eq(region.mask[i], i % 8 < 3);
    ead_region_inside(&region, 16, 16, at_image);
    for (int i = 0; i < 256; i++) ck_assert_int_eq(at_image[i], i % 16 < 6);
    ead_region_free(&region);
    ASSERT_OK(ead_region_set_mask(&region, &mask, 16, 16));
    for (int i = 0; i < 256; i++) ck_assert_int_eq(region.mask[i], i % 16 < 8);
    ead_region_free(&region);
    ead_image_free(&mask);
}
END_TEST

START_TEST(what_does_not_fit_is_told) {
    EadRegion region = {0};
    EadImage mask;
    fill_image(&mask, 40, 30, 1, 0);
    ASSERT_FAILS(ead_region_set_mask(&region, &mask, 20, 20), EAD_BAD_ARGUMENT, "nothing is inside");
    mask.pixels[40 * 3 + 3] = 1; /* vanishes in the reduction */
    ASSERT_FAILS(ead_region_set_mask(&region, &mask, 20, 20), EAD_BAD_ARGUMENT,
                 "nothing is inside at the model's 20 x 20 pixels");
    memset(mask.pixels, 1, 40 * 30);
    ASSERT_OK(ead_region_set_box(&region, "30,0,11,30"));
    ASSERT_FAILS(ead_region_set_mask(&region, &mask, 20, 20), EAD_BAD_SHAPE,
                 "40 x 30 pixels does not hold the box of the region of interest, 30,0,11,30");
    ASSERT_OK(ead_region_set_box(&region, "30,0,10,30"));
    ASSERT_OK(ead_region_set_mask(&region, &mask, 20, 20));
    ASSERT_FAILS(ead_region_check(&region, 41, 30), EAD_BAD_SHAPE, "is for images of 40 x 30");
    ASSERT_OK(ead_region_check(&region, 40, 30));
    ead_region_free(&region);
    ead_image_free(&mask);
}
END_TEST

/* Around the box lies its least value; in it is what the map alone gives there. */
START_TEST(maps_go_back_into_the_image) {
    EadRegion region = {0};
    float map[6 * 5], out[WIDE * HIGH], box[20 * 30], least = 1;
    for (int i = 0; i < 30; i++) map[i] = (float)(i * 7 % 30) - 11;
    for (int i = 0; i < 30; i++) least = map[i] < least ? map[i] : least;
    ASSERT_OK(ead_region_set_box(&region, "40,9,20,30"));
    float peak = ead_map_resize(map, 5, 6, box, 30, 20);
    ck_assert_float_eq(ead_region_map_resize(&region, map, 5, 6, NULL, HIGH, WIDE), peak);
    ck_assert_float_eq(ead_region_map_resize(&region, map, 5, 6, out, HIGH, WIDE), peak);
    for (int y = 0; y < HIGH; y++)
        for (int x = 0; x < WIDE; x++) {
            bool within = x >= 40 && x < 60 && y >= 9 && y < 39;
            ck_assert_float_eq(out[y * WIDE + x], within ? box[(y - 9) * 20 + x - 40] : least);
        }
}
END_TEST

/* With a border of one cell 4 x 4 cells of 2 pixels each cover an image of 8, of which a network gives 2 x 2. */
START_TEST(cells_of_a_network) {
    EadRegion region = {.mask_width = 8, .mask_height = 8, .mask = (uint8_t[64]){0}};
    real cells[16];
    region.mask[0] = region.mask[8 * 3 + 4] = region.mask[63] = 1;
    ck_assert_int_eq(ead_region_cells(&region, 4, 4, 0, cells), 3);
    for (int i = 0; i < 16; i++) ck_assert(cells[i] == (i == 0 || i == 6 || i == 15));
    ck_assert_int_eq(ead_region_cells(&region, 2, 2, 1, cells), 1);
    for (int i = 0; i < 4; i++) ck_assert(cells[i] == (i == 1));
    region.mask = NULL;
    ck_assert_int_eq(ead_region_cells(&region, 2, 2, 1, cells), 4);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("region");
    TCase *tests = tcase_create("region");
    tcase_add_test(tests, boxes_are_four_numbers);
    tcase_add_loop_test(tests, outside_never_comes_through, 0, sizeof sizes / sizeof *sizes);
    tcase_add_test(tests, a_mask_loses_half_a_cell_at_its_edge);
    tcase_add_test(tests, what_does_not_fit_is_told);
    tcase_add_test(tests, maps_go_back_into_the_image);
    tcase_add_test(tests, cells_of_a_network);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
