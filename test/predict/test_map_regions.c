/* The regions of maps against scikit-image. */
#include "train/metrics/map_regions.h"

#include "test/golden/regions/regions_golden.h"
#include "test/support/scratch.h"

#include <math.h>

static float value_of(int letter) {
    return -1 + 0.25f * (float)(letter - 'A');
}

/* free() it. */
static float *draw_map(int scene) {
    int64_t pixels = (int64_t)golden_maps[scene].width * golden_maps[scene].height;
    float *map = malloc((size_t)pixels * sizeof *map);
    ck_assert_ptr_nonnull(map);
    ck_assert_int_eq((int64_t)strlen(golden_maps[scene].letters), pixels);
    for (int64_t i = 0; i < pixels; i++) map[i] = value_of(golden_maps[scene].letters[i]);
    return map;
}

START_TEST(regions_are_scikit_images) {
    EadMapRegions found;
    float *map = draw_map(_i);
    ASSERT_OK(ead_map_regions_find(&found, map, golden_maps[_i].width, golden_maps[_i].height,
                                   value_of(golden_threshold)));
    ck_assert_int_eq(found.count, golden_maps[_i].count);
    ck_assert_int_eq(found.area, golden_maps[_i].area);
    ck_assert_int_eq(found.kept, golden_maps[_i].kept);
    for (int i = 0; i < found.kept; i++) {
        const int *right = golden_regions[golden_maps[_i].first + i];
        const EadMapRegion *r = &found.items[i];
        const int got[] = {(int)r->area, r->x, r->y, r->width, r->height, r->peak_x, r->peak_y};
        for (int k = 0; k < 7; k++)
            ck_assert_msg(got[k] == right[k], "%s, region %d, number %d: %d, not %d", golden_maps[_i].name, i,
                          k, got[k], right[k]);
        ck_assert_float_eq(r->score, value_of(right[7]));
    }
    ead_map_regions_free(&found);
    free(map);
}
END_TEST

/* The first of the largest values, also where no region is. */
START_TEST(the_maps_peak_is_known_without_regions) {
    static const float map[] = {0, 1, 3, 2, 3, 3};
    static const float thresholds[] = {3.5f, NAN};
    for (int i = 0; i < 2; i++) {
        EadMapRegions found;
        ASSERT_OK(ead_map_regions_find(&found, map, 3, 2, thresholds[i]));
        ck_assert(found.count == 0 && found.kept == 0 && found.area == 0 && !found.items);
        ck_assert(found.peak_x == 2 && found.peak_y == 0 && found.peak == 3);
        ck_assert_int_eq(isnan(found.threshold), i);
        ead_map_regions_free(&found);
    }
}
END_TEST

START_TEST(a_pixel_at_the_threshold_is_in) {
    static const float map[] = {1, 2, 2.0001f, 1.9999f};
    EadMapRegions found;
    ASSERT_OK(ead_map_regions_find(&found, map, 4, 1, 2));
    ck_assert(found.count == 1 && found.items[0].area == 2 && found.items[0].x == 1);
    ead_map_regions_free(&found);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("map_regions");
    TCase *tests = tcase_create("map_regions");
    tcase_add_loop_test(tests, regions_are_scikit_images, 0, golden_scenes);
    tcase_add_test(tests, the_maps_peak_is_known_without_regions);
    tcase_add_test(tests, a_pixel_at_the_threshold_is_in);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
