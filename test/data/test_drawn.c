/* Drawn images: the same for the same seed and number, on any number of threads; otherwise all different, and as varied
 * as photographs in brightness, contrast and colour. */
#include "core/image/color.h"
#include "data/cache/cache_key.h"
#include "data/drawn/drawn_image.h"
#include "data/loader/training_images.h"
#include "data/source/loader.h"
#include "test/support/scratch.h"

#include <math.h>

#define SCRATCH "build/scratch/drawn/"

enum { SIDE = 64, BYTES = SIDE * SIDE * 3, MANY = 400 };

static uint64_t checksum(uint64_t seed, uint32_t number, uint8_t out[BYTES]) {
    ASSERT_OK(ead_drawn_image(seed, number, SIDE, SIDE, out));
    return ead_cache_checksum(0, out, BYTES);
}

/* Against the C library, in double: all digits of a float but the last. */
START_TEST(sine_and_exponential_are_right) {
    for (int i = -20000; i <= 20000; i++) {
        float x = (float)i * 0.0373f, small = (float)i * 0.0039f;
        ck_assert_double_eq_tol((double)ead_draw_sine(x), sin((double)x), 1e-7);
        ck_assert_double_eq_tol((double)ead_draw_cosine(x), cos((double)x), 1e-7);
        double expected = exp((double)small);
        ck_assert_double_eq_tol((double)ead_draw_exp(small), expected, 1e-7 * expected);
    }
}
END_TEST

/* The first image of each kind; a compiler or machine that gives other bits is told here. */
START_TEST(bits_are_those_of_every_machine) {
    static const uint64_t expected[EAD_DRAWN_KIND_COUNT] = {
        UINT64_C(0x7aa12c0ad06d4a3f), UINT64_C(0xd699f525b9d44491), UINT64_C(0x52dc9aa38e9e16c5),
        UINT64_C(0x2697c704bd16deb1)};
    uint8_t image[BYTES];
    for (int kind = 0; kind < EAD_DRAWN_KIND_COUNT; kind++) {
        uint32_t number = 1;
        while ((int)ead_drawn_kind(42, number) != kind) number++;
        uint64_t sum = checksum(42, number, image);
        ck_assert_msg(sum == expected[kind], "kind %d: %016llx", kind, (unsigned long long)sum);
    }
}
END_TEST

START_TEST(no_two_are_alike_but_the_same_again) {
    static uint64_t sums[2 * MANY];
    uint8_t image[BYTES];
    for (int i = 0; i < 2 * MANY; i++) sums[i] = checksum((uint64_t)(7 + i % 2), (uint32_t)(i / 2), image);
    for (int i = 0; i < 2 * MANY; i++)
        for (int j = 0; j < i; j++) ck_assert_msg(sums[i] != sums[j], "%d and %d", i, j);
    for (int i = 2 * MANY - 1; i >= 0; i -= 37)
        ck_assert(checksum((uint64_t)(7 + i % 2), (uint32_t)(i / 2), image) == sums[i]);
}
END_TEST

START_TEST(brightness_contrast_and_kinds_vary) {
    uint8_t image[BYTES];
    double mean_sum = 0, mean_squares = 0, deviation_sum = 0, flattest = 255;
    int kinds[EAD_DRAWN_KIND_COUNT] = {0}, colored = 0;
    for (uint32_t number = 1; number <= MANY; number++) {
        double sum = 0, squares = 0, tint = 0;
        checksum(42, number, image);
        kinds[ead_drawn_kind(42, number)]++;
        for (int i = 0; i < BYTES; i += 3) {
            double gray = (image[i] + image[i + 1] + image[i + 2]) / 3.0;
            sum += gray, squares += gray * gray;
            tint += abs(image[i] - image[i + 1]) + abs(image[i + 1] - image[i + 2]);
        }
        double mean = sum / (BYTES / 3.0), deviation = sqrt(squares / (BYTES / 3.0) - mean * mean);
        mean_sum += mean, mean_squares += mean * mean, deviation_sum += deviation;
        flattest = fmin(flattest, deviation);
        colored += tint / (BYTES / 3.0) > 10;
    }
    double mean = mean_sum / MANY, spread = sqrt(mean_squares / MANY - mean * mean);
    ck_assert_msg(mean > 100 && mean < 155, "mean %g", mean);
    ck_assert_msg(spread > 20 && spread < 70, "deviation of the means %g", spread);
    ck_assert_msg(deviation_sum / MANY > 20 && deviation_sum / MANY < 70, "%g", deviation_sum / MANY);
    ck_assert_msg(flattest > 1, "one is flat: %g", flattest);
    ck_assert_msg(colored > MANY / 2, "%d have colours", colored);
    for (int kind = 0; kind < EAD_DRAWN_KIND_COUNT; kind++)
        ck_assert_msg(kinds[kind] > MANY / 6 && kinds[kind] < MANY / 3, "kind %d: %d", kind, kinds[kind]);
}
END_TEST

START_TEST(any_size_is_drawn) {
    static const int sizes[][2] = {{1, 1}, {3, 200}, {200, 3}, {128, 192}};
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
        for (uint32_t number = 0; number < 24; number++) {
            static uint8_t image[3 * 128 * 192];
            ASSERT_OK(ead_drawn_image(1, number, sizes[s][0], sizes[s][1], image));
        }
}
END_TEST

static EadImageCache *one_image(void) {
    EadStringList files = {0};
    EadImageList list = {0};
    EadImageCache *cache;
    EadCacheSpec spec = {.width = SIDE, .height = SIDE, .threads = 1};
    write_noise_png(SCRATCH "train.png", SIDE, SIDE, 3, 1);
    ASSERT_OK(ead_strings_add(&files, SCRATCH "train.png"));
    ASSERT_OK(ead_image_list_add_files(&list, &files));
    ASSERT_OK(ead_image_cache_open(&list, &spec, &cache));
    ead_strings_free(&files);
    ead_image_list_free(&list);
    return cache;
}

/* One loader from the start on one thread, one begun in the middle on four: what a resumed run sees. Image `step` of
 * the seed, three of ten turned gray. */
START_TEST(each_step_has_its_image_whoever_draws_it) {
    enum { BEGUN = 31, STEPS = 200 };
    EadImageCache *train = one_image();
    EadTrainingImages images = {.train = train, .drawn_height = SIDE, .drawn_width = SIDE, .seed = 9};
    images.train_at = 1, images.augmented_at = -1, images.count = 2;
    EadLoaderSpec spec = {.slot_bytes = 2 * BYTES,
                          .slots = 2,
                          .threads = 1,
                          .first_step = 1,
                          .fill = ead_training_images_fill,
                          .context = &images};
    EadLoader *a, *b;
    const uint8_t *left, *right;
    uint8_t drawn[BYTES];
    int gray = 0;
    ASSERT_OK(ead_loader_open(&spec, &a));
    spec.slots = 7, spec.threads = 4, spec.first_step = BEGUN;
    ASSERT_OK(ead_loader_open(&spec, &b));
    for (uint32_t step = 1; step <= STEPS; step++, ead_loader_release(a)) {
        ASSERT_OK(ead_loader_next(a, &left));
        checksum(9, step, drawn);
        if (memcmp(left, drawn, BYTES) != 0) {
            ead_color_gray(drawn, SIDE * SIDE);
            ck_assert_mem_eq(left, drawn, BYTES);
            gray++;
        }
        if (step < BEGUN) continue;
        ASSERT_OK(ead_loader_next(b, &right));
        ck_assert_mem_eq(left, right, spec.slot_bytes);
        ead_loader_release(b);
    }
    ck_assert_msg(gray > STEPS * 2 / 10 && gray < STEPS * 4 / 10, "%d are gray", gray);
    ead_loader_close(a);
    ead_loader_close(b);
    ead_image_cache_close(train);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("drawn");
    TCase *tests = tcase_create("drawn");
    tcase_set_timeout(tests, 0);
    tcase_add_test(tests, sine_and_exponential_are_right);
    tcase_add_test(tests, bits_are_those_of_every_machine);
    tcase_add_test(tests, no_two_are_alike_but_the_same_again);
    tcase_add_test(tests, brightness_contrast_and_kinds_vary);
    tcase_add_test(tests, any_size_is_drawn);
    tcase_add_test(tests, each_step_has_its_image_whoever_draws_it);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
