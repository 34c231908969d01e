/* Colour changes against torchvision, to the bit, and the draws of the jitter. */
#include "core/image/color.h"

#include "core/base/philox.h"
#include "test/support/scratch.h"
#include "test/golden/data_golden.h"

#include <math.h>

enum { PIXELS = 16 * 24 };

static void apply(int operation, uint8_t *rgb, float factor) {
    if (operation == 0)
        ead_color_brightness(rgb, PIXELS, factor);
    else if (operation == 1)
        ead_color_contrast(rgb, PIXELS, factor);
    else if (operation == 2)
        ead_color_saturation(rgb, PIXELS, factor);
    else
        ead_color_gray(rgb, PIXELS);
}

START_TEST(as_torchvision) {
    uint8_t rgb[PIXELS * 3];
    for (size_t i = 0; i < sizeof golden_color / sizeof *golden_color; i++) {
        fill_noise(rgb, sizeof rgb, 99);
        apply(golden_color[i].operation, rgb, golden_color[i].factor);
        ck_assert_msg(fnv(rgb, sizeof rgb) == golden_color[i].hash, "operation %d, factor %g: other pixels",
                      golden_color[i].operation, (double)golden_color[i].factor);
    }
}
END_TEST

/* Every jitter equals exactly one operation; all three occur about equally often, with factors all over
 * [0.8, 1.2). */
START_TEST(jitter_draws) {
    enum { STEPS = 3000 };
    uint8_t start[PIXELS * 3], jittered[PIXELS * 3], expected[PIXELS * 3];
    int counts[3] = {0};
    double sum = 0;
    fill_noise(start, sizeof start, 3);
    for (uint64_t step = 1; step <= STEPS; step++) {
        uint32_t words[4];
        ead_philox(17, EAD_STREAM_AUGMENT, step, words);
        int operation = (int)((uint64_t)words[0] * 3 >> 32);
        double factor = 0.8 + 0.4 * (double)ead_uniform(words[1]);
        counts[operation]++;
        sum += factor;
        memcpy(jittered, start, sizeof start);
        memcpy(expected, start, sizeof start);
        ead_color_jitter(jittered, PIXELS, 17, step);
        apply(operation, expected, (float)factor);
        ck_assert_mem_eq(jittered, expected, sizeof start);
    }
    for (int i = 0; i < 3; i++) ck_assert_int_gt(counts[i], STEPS / 3 - 150);
    ck_assert_double_lt(fabs(sum / STEPS - 1.0), 0.01);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("color");
    TCase *tests = tcase_create("color");
    tcase_add_test(tests, as_torchvision);
    tcase_add_test(tests, jitter_draws);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
