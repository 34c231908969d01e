/* Tiles over an image: where they lie, that their weights sum to 1, that what they say of the image becomes one map. */
#include "core/image/tiles.h"
#include "test/support/scratch.h"

#include <math.h>

enum { UNSEEN = 4 };

static const int sizes[] = {64, 65, 67, 68, 100, 127, 128, 129, 256, 1000, 2047};
static const double overlaps[] = {0, 0.125, 0.25, 0.5, 0.9};

/* The first cell of each tile along one side, which follows from the cut of a ramp. */
static void check_axis(const EadTileAxis *axis, int pixels) {
    int cells = (pixels + EAD_TILE_STEP - 1) / EAD_TILE_STEP - 2 * UNSEEN;
    ck_assert_int_eq(axis->length, cells);
    ck_assert_int_ge(axis->count, 1);
    ck_assert_int_le(axis->stride, axis->each);
    ck_assert_int_ge((axis->count - 1) * axis->stride + axis->each, axis->length); /* all are covered */
    ck_assert_int_lt((axis->count - 2) * axis->stride + axis->each, axis->length); /* none is idle */
    for (int i = 0; i < axis->count * axis->each; i++) ck_assert(axis->weights[i] > 0);
}

START_TEST(weights_sum_to_one) {
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
        for (size_t o = 0; o < sizeof overlaps / sizeof *overlaps; o++) {
            EadTiles tiles = {.size = 64, .overlap = overlaps[o], .scale = 1};
            EadTiling grid;
            ASSERT_OK(ead_tiling_new(&grid, &tiles, UNSEEN, sizes[s], 64 + 7 * (int)o));
            check_axis(&grid.x, sizes[s]);
            check_axis(&grid.y, 64 + 7 * (int)o);
            int64_t cells = ead_tiling_cells(&grid);
            real *ones = malloc((size_t)grid.x.each * (size_t)grid.y.each * sizeof *ones);
            real *map = calloc((size_t)cells, sizeof *map);
            for (int i = 0; i < grid.x.each * grid.y.each; i++) ones[i] = 1;
            for (int t = 0; t < ead_tiling_count(&grid); t++) ead_tiling_add(&grid, t, ones, map);
            for (int64_t i = 0; i < cells; i++) ck_assert(fabs((double)map[i] - 1) < 1e-6);
            free(ones);
            free(map);
            ead_tiling_free(&grid);
        }
}
END_TEST

/* A map that is a function of the place in the image comes out as that function, whatever tiles it was seen in; and the pixels
 * of a tile are those of the image, the last ones repeated. */
START_TEST(tiles_are_parts_of_the_image) {
    enum { WIDE = 150, HIGH = 93, SIDE = 64 };
    static uint8_t image[WIDE * HIGH * 3], tile[SIDE * SIDE * 3];
    EadTiles tiles = {.size = SIDE, .overlap = 0.3, .scale = 1};
    EadTiling grid;
    for (int p = 0; p < WIDE * HIGH; p++) {
        image[3 * p] = (uint8_t)(p % WIDE);
        image[3 * p + 1] = (uint8_t)(p / WIDE);
        image[3 * p + 2] = 7;
    }
    ASSERT_OK(ead_tiling_new(&grid, &tiles, UNSEEN, WIDE, HIGH));
    ck_assert_int_eq(grid.x.length, 38 - 8);
    ck_assert_int_eq(grid.y.length, 24 - 8);
    real *map = calloc((size_t)ead_tiling_cells(&grid), sizeof *map);
    for (int t = 0; t < ead_tiling_count(&grid); t++) {
        real cells[(SIDE / 4 - 8) * (SIDE / 4 - 8)];
        ead_tiling_cut(&grid, image, t, tile);
        int left = tile[0], top = tile[1];
        ck_assert(left % EAD_TILE_STEP == 0 && top % EAD_TILE_STEP == 0);
        for (int p = 0; p < SIDE * SIDE; p++) {
            int x = left + p % SIDE, y = top + p / SIDE;
            ck_assert_int_eq(tile[3 * p], x < WIDE ? x : WIDE - 1);
            ck_assert_int_eq(tile[3 * p + 1], y < HIGH ? y : HIGH - 1);
            ck_assert_int_eq(tile[3 * p + 2], 7);
        }
        for (int i = 0; i < grid.x.each * grid.y.each; i++)
            cells[i] =
                (real)((left / 4 + i % grid.x.each) * 100 + (top / 4 + i / grid.x.each)); /* by its cell */
        ead_tiling_add(&grid, t, cells, map);
    }
    for (int64_t i = 0; i < ead_tiling_cells(&grid); i++)
        ck_assert(fabs((double)map[i] - (double)(i % grid.x.length * 100 + i / grid.x.length)) < 1e-2);
    free(map);
    ead_tiling_free(&grid);
}
END_TEST

START_TEST(images_are_reduced_by_the_scale) {
    static const struct {
        double scale;
        int in, out;
    } rows[] = {{1, 2048, 2048}, {1, 65535, 65535}, {2, 2049, 1025}, {2, 2047, 1024},  {1.5, 1000, 667},
                {4, 300, 256},   {1, 1, 256},       {1, 256, 256},   {64, 65535, 1024}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int width, height;
        EadTiles tiles = {.size = 256, .scale = rows[i].scale};
        ead_tiles_look_at(&tiles, rows[i].in, 300, &width, &height);
        ck_assert_int_eq(width, rows[i].out);
        ead_tiles_look_at(&tiles, 300, rows[i].in, &width, &height);
        ck_assert_int_eq(height, rows[i].out);
    }
}
END_TEST

/* One tile is what it is, to the bit. */
START_TEST(one_tile_is_left_as_it_is) {
    EadTiles tiles = {.size = 64, .overlap = 0.5, .scale = 1};
    EadTiling grid;
    real cells[64], map[64] = {0};
    ASSERT_OK(ead_tiling_new(&grid, &tiles, UNSEEN, 64, 64));
    ck_assert_int_eq(ead_tiling_count(&grid), 1);
    for (int i = 0; i < 64; i++) cells[i] = (real)(i * 0.37);
    ead_tiling_add(&grid, 0, cells, map);
    ck_assert_mem_eq(map, cells, sizeof cells);
    ead_tiling_free(&grid);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("tiles");
    TCase *tests = tcase_create("tiles");
    tcase_add_test(tests, weights_sum_to_one);
    tcase_add_test(tests, tiles_are_parts_of_the_image);
    tcase_add_test(tests, images_are_reduced_by_the_scale);
    tcase_add_test(tests, one_tile_is_left_as_it_is);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
