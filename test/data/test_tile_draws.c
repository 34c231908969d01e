/* Training images in tiles: kept each in its own reduced size, in memory and in a file, and tiles drawn of them. */
#include "core/base/philox.h"
#include "core/image/image.h"
#include "data/loader/training_images.h"
#include "test/support/scratch.h"

#include <unistd.h>

#define SCRATCH   "build/scratch/tile_draws/"
#define FILE_NAME SCRATCH "images.cache"

enum { COUNT = 6, TILE = 24, MOST_BYTES = 3 * 120 * 120 };

static const EadTiles tiles = {.size = TILE, .overlap = 0.25, .scale = 1.5};

/* Of different sizes, some smaller than a tile. */
static void size_of(int i, int *width, int *height) {
    *width = 20 + 19 * i;
    *height = 110 - 17 * i;
}

static EadImageList make_sources(bool gray) {
    EadStringList files = {0};
    EadImageList list = {0};
    for (int i = 0; i < COUNT; i++) {
        char path[256];
        int width, height;
        size_of(i, &width, &height);
        snprintf(path, sizeof path, SCRATCH "%s%d.png", gray ? "gray" : "source", i);
        write_noise_png(path, width, height, gray ? 1 : 3, (uint32_t)i);
        ASSERT_OK(ead_strings_add(&files, path));
    }
    ASSERT_OK(ead_image_list_add_files(&list, &files));
    ead_strings_free(&files);
    unlink(FILE_NAME);
    return list;
}

static EadImageCache *open_cache(const EadImageList *list, const char *file, const EadRegion *region) {
    EadImageCache *cache;
    EadCacheSpec spec = {
        .width = TILE, .height = TILE, .tiles = &tiles, .file = file, .region = region, .threads = 3};
    ASSERT_OK(ead_image_cache_open(list, &spec, &cache));
    return cache;
}

/* By the plain calls. */
static void expect(const char *path, const EadRegion *region, int *width, int *height, uint8_t *out) {
    static const EadRegion all;
    EadImage image;
    ASSERT_OK(ead_image_load(path, &image));
    EadPixelRows rows = ead_image_rows(&image);
    ead_tiles_look_at(&tiles, region ? region->width : image.width, region ? region->height : image.height,
                      width, height);
    ASSERT_OK(ead_region_resize(region ? region : &all, &rows, out, *width, *height));
    ead_image_free(&image);
}

static void check_content(const EadImageCache *cache, const EadImageList *list, const EadRegion *region) {
    static uint8_t expected[MOST_BYTES], got[MOST_BYTES];
    size_t most = 0;
    for (int i = 0; i < COUNT; i++) {
        int width, height, kept_width, kept_height;
        expect(list->items[i].name, region, &width, &height, expected);
        ead_image_cache_size(cache, i, &kept_width, &kept_height);
        ck_assert(kept_width == width && kept_height == height && width >= TILE && height >= TILE);
        ASSERT_OK(ead_image_cache_read(cache, i, got));
        ck_assert_mem_eq(got, expected, (size_t)width * (size_t)height * 3);
        if ((size_t)width * (size_t)height * 3 > most) most = (size_t)width * (size_t)height * 3;
    }
    ck_assert_uint_eq(ead_image_cache_image_bytes(cache), most);
}

START_TEST(images_keep_their_sizes) {
    EadRegion box = {0};
    ASSERT_OK(ead_region_set_box(&box, "3,2,16,20"));
    for (int gray = 0; gray < 2; gray++) {
        EadImageList list = make_sources(gray);
        for (int pass = 0; pass < 4; pass++) {
            const EadRegion *region = pass == 3 ? &box : NULL; /* another region makes the file anew */
            EadImageCache *cache = open_cache(&list, pass ? FILE_NAME : NULL, region);
            check_content(cache, &list, region);
            ck_assert_int_eq(ead_image_cache_is_gray(cache), gray);
            ead_image_cache_close(cache);
        }
        ead_image_list_free(&list);
    }
}
END_TEST

/* A damaged image is decoded again; a cache for another scale, or for none, is another one. */
START_TEST(files_are_checked) {
    EadImageList list = make_sources(false);
    EadImageCache *cache = open_cache(&list, FILE_NAME, NULL);
    FILE *file = fopen(FILE_NAME, "r+b");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(fseek(file, -700, SEEK_END), 0);
    ck_assert_int_eq(fputc(fgetc(file) ^ 0x55, file) == EOF, 0);
    fclose(file);
    check_content(cache, &list, NULL);
    ead_image_cache_close(cache);
    EadTiles other = {.size = TILE, .scale = 3};
    EadCacheSpec spec = {.width = TILE, .height = TILE, .tiles = &other, .file = FILE_NAME};
    int width, height, expected_width, expected_height;
    ASSERT_OK(ead_image_cache_open(&list, &spec, &cache));
    size_of(5, &width, &height);
    ead_tiles_look_at(&other, width, height, &expected_width, &expected_height);
    ead_image_cache_size(cache, 5, &width, &height);
    ck_assert(width == expected_width && height == expected_height);
    ead_image_cache_close(cache);
    spec.tiles = NULL;
    ASSERT_OK(ead_image_cache_open(&list, &spec, &cache));
    ead_image_cache_size(cache, 5, &width, &height);
    ck_assert(width == TILE && height == TILE);
    ead_image_cache_close(cache);
    ead_image_list_free(&list);
}
END_TEST

/* ---- draws ---- */

/* Where a tile lies in an image; false: nowhere. */
static bool find_tile(const uint8_t *image, int width, int height, const uint8_t *tile, int *x, int *y) {
    for (*y = 0; *y <= height - TILE; ++*y)
        for (*x = 0; *x <= width - TILE; ++*x) {
            int row = 0;
            while (row < TILE &&
                   memcmp(image + 3 * ((*y + row) * width + *x), tile + 3 * row * TILE, 3 * TILE) == 0)
                row++;
            if (row == TILE) return true;
        }
    return false;
}

START_TEST(tiles_are_drawn_from_everywhere) {
    static uint8_t image[MOST_BYTES];
    uint8_t slot[3 * TILE * TILE], again[sizeof slot], whole[sizeof slot];
    EadImageList list = make_sources(false);
    EadImageCache *cache = open_cache(&list, NULL, NULL);
    int wholes = 0, left = 0, right = 0;
    for (int both = 0; both < 2; both++) {
        EadTrainingImages images = {.train = cache,
                                    .tiles = tiles,
                                    .seed = 5,
                                    .penalty_at = -1,
                                    .train_at = 0,
                                    .augmented_at = -1,
                                    .count = 1};
        images.tiles.whole_image = both;
        ck_assert_uint_eq(ead_training_images_slot_bytes(&images), sizeof slot);
        for (uint64_t step = 1; step <= 200; step++) {
            int index = (int)ead_shuffled_index(5, EAD_STREAM_TRAIN_ORDER, step - 1, COUNT), width, height, x,
                y;
            ASSERT_OK(ead_training_images_fill(&images, step, slot));
            ASSERT_OK(ead_training_images_fill(&images, step, again));
            ck_assert_mem_eq(slot, again, sizeof slot);
            ead_image_cache_size(cache, index, &width, &height);
            ASSERT_OK(ead_image_cache_read(cache, index, image));
            if (find_tile(image, width, height, slot, &x, &y)) {
                left += x == 0 && width > TILE;
                right += x == width - TILE && width > TILE;
                continue;
            }
            ck_assert(both);
            wholes++;
            ASSERT_OK(ead_resize_u8(image, width, height, 3, 3 * width, whole, TILE, TILE));
            ck_assert_mem_eq(slot, whole, sizeof slot);
        }
    }
    ck_assert_int_gt(wholes, 60);
    ck_assert_int_lt(wholes, 140);
    ck_assert(left > 0 && right > 0);
    ead_image_cache_close(cache);
    ead_image_list_free(&list);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("tile draws");
    TCase *tests = tcase_create("tile draws");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, images_keep_their_sizes);
    tcase_add_test(tests, files_are_checked);
    tcase_add_test(tests, tiles_are_drawn_from_everywhere);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
