/* What the pixel metrics are built from: connected components against plain flooding, and the radix sort. */
#include "test/train/metric_scenes.h"
#include "train/metrics/defect_regions.h"
#include "train/metrics/pixel_store.h"

START_TEST(components_agree_with_flooding) {
    static MetricScene scene;
    uint64_t random = 100000;
    for (int round = 0; round < 100; round++) {
        make_scene(&scene, &random, 1, 0);
        for (int k = 0; k < scene.images; k++) {
            EadComponents parts;
            ck_assert_int_eq(ead_components_label(&parts, scene.mask[k], scene.width, scene.height), EAD_OK);
            ck_assert_int_eq(parts.count, scene.components[k]);
            size_t bytes = (size_t)(scene.width * scene.height) * sizeof *parts.labels;
            ck_assert_mem_eq(parts.labels, scene.labels[k], bytes);
            int64_t pixels = 0;
            for (int32_t label = 0; label <= parts.count; label++) pixels += parts.areas[label];
            ck_assert_int_eq(pixels, scene.width * scene.height);
            ead_components_free(&parts);
        }
    }
}
END_TEST

/* A spiral and a comb force long chains of equivalent labels. */
START_TEST(components_of_long_shapes) {
    enum { side = 301 };
    static uint8_t mask[side * side];
    for (int y = 0; y < side; y++)
        for (int x = 0; x < side; x++) mask[y * side + x] = x % 2 == 0 || y == side - 1;
    EadComponents parts;
    ck_assert_int_eq(ead_components_label(&parts, mask, side, side), EAD_OK);
    ck_assert_int_eq(parts.count, 1);
    ead_components_free(&parts);
    for (int i = 0; i < side * side; i++) mask[i] = (uint8_t)((i % side) % 2 == 0 && (i / side) % 2 == 0);
    ck_assert_int_eq(ead_components_label(&parts, mask, side, side), EAD_OK);
    ck_assert_int_eq(parts.count, 151 * 151);
    ead_components_free(&parts);
    ck_assert_int_eq(ead_components_label(&parts, mask, 0, 5), EAD_BAD_SHAPE);
    ck_assert_ptr_null(parts.labels);
}
END_TEST

START_TEST(pixel_sort_sorts_keys) {
    enum { count = 1000000 };
    uint32_t *keys = malloc(count * sizeof *keys), sum = 0;
    ck_assert_ptr_nonnull(keys);
    for (uint64_t i = 0; i < count; i++) {
        keys[i] = ead_philox_word(4, EAD_STREAM_TEST, i);
        if (i % 2) keys[i] = 0x40000000u | (keys[i] & 0xffff); /* a crowd in one bucket */
        sum += keys[i];
    }
    ead_pixel_sort_keys(keys, count);
    for (int64_t i = 0; i < count; i++) {
        sum -= keys[i];
        if (i > 0) ck_assert_uint_le(keys[i - 1], keys[i]);
    }
    ck_assert_uint_eq(sum, 0);
    free(keys);
}
END_TEST

/* Large enough for parallel tasks and every radix level. */
START_TEST(pixel_sort_sorts) {
    enum { count = 1000000 };
    uint64_t *words = malloc(count * sizeof *words), sum = 0, sorted_sum = 0;
    ck_assert_ptr_nonnull(words);
    for (uint64_t i = 0; i < count; i++) {
        uint64_t key = ead_philox_word(3, EAD_STREAM_TEST, i);
        if (i % 3 == 0) key &= 0xff00ff00u; /* ties */
        words[i] = key << 32 | i;
        sum += words[i];
    }
    ead_pixel_sort_words(words, count);
    for (int64_t i = 0; i < count; i++) {
        sorted_sum += words[i];
        if (i > 0) ck_assert_uint_le(words[i - 1] >> 32, words[i] >> 32);
    }
    ck_assert_uint_eq(sum, sorted_sum);
    free(words);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("components");
    TCase *tests = tcase_create("components");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, components_agree_with_flooding);
    tcase_add_test(tests, components_of_long_shapes);
    tcase_add_test(tests, pixel_sort_sorts);
    tcase_add_test(tests, pixel_sort_sorts_keys);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
