/* GCAD against PyTorch (test/golden/methods/gcad_golden.py), the images that it is trained on, and what its files give back and
 * refuse. */
#include "test/methods/gcad_golden.h"
#include "test/methods/model_files.h"

#include "data/loader/augmented_images.h"
#include "test/support/runs.h"
#include "train/gcad/gcad_step.h"

#define SCRATCH "build/scratch/test_gcad/"

static EadSafetensors *golden;
static uint8_t image[GCAD_PIXELS * 3];

static void open_golden(void) {
    ASSERT_OK(ead_safetensors_open("test/golden/methods/gcad.safetensors", &golden));
    make_folders(SCRATCH);
}

static void close_golden(void) {
    ead_safetensors_close(golden);
}

static const GcadBounds bounds = {1e-5, 1e-5, 1e-4, 1e-4};

/* Three steps, of which the global U-Net takes part in the last; the skip connections fade. */
START_TEST(steps_are_those_of_pytorch) {
    EadGcad *model = gcad_model("33");
    EadParams helpers = gcad_helpers(model);
    EadGcadOptions options = {1, 1e-4, 1e-5, 10, GCAD_JOINS, false};
    EadStep step;
    float rows[EAD_LOSS_ROWS * (EAD_MAX_LOSSES + 1)];
    int count;
    double *losses = golden_numbers(golden, "losses", (GCAD_STEPS + 1) * 4);
    golden_image(GCAD_TRAINED, GCAD_HEIGHT, GCAD_WIDTH, image);
    ASSERT_OK(ead_gcad_step_new(model, &helpers, &options, NULL, &step));
    ck_assert_uint_eq(ead_step_slot_bytes(&step), sizeof image);
    for (int s = 0; s <= GCAD_STEPS; s++) {
        for (int g = 0; g < 3 && s == GCAD_STEPS; g++)
            check_gcad_group(golden, g, step.parts.groups[g].params, NULL, bounds.parameter);
        ead_step_run(&step, image);
        for (int g = 0; g < 2 && s == 0; g++)
            check_gcad_group(golden, g, step.parts.groups[g].params, step.optimizers[g].gradients,
                             bounds.gradient);
        if (s == GCAD_JOINS)
            check_gcad_group(golden, 2, &model->later, step.optimizers[2].gradients, bounds.gradient);
    }
    ASSERT_OK(ead_step_losses(&step, rows, &count));
    ck_assert_int_eq(count, GCAD_STEPS + 1);
    for (int s = 0; s < count; s++) {
        const float *row = rows + (ptrdiff_t)s * step.columns;
        const double got[] = {(double)row[2], (double)row[3], (double)row[4], (double)row[5]};
        check_numbers("losses", got, losses + (ptrdiff_t)4 * s, 4, bounds.loss);
        ck_assert(step.columns == 7 && row[0] == 0 && row[1] == 0 && row[6] == 1e-4f);
    }
    free(losses);
    ead_step_free(&step);
    ead_params_free(&helpers);
    ead_model_free(&model->base);
}
END_TEST

/* ---- detectors and files ---- */

START_TEST(the_map_is_that_of_pytorch_and_files_give_it_back) {
    EadGcad *model = gcad_model("17,33");
    float score, again_score, *map = golden_map(&model->base, GCAD_JUDGED, &score);
    double *expected = golden_numbers(golden, "map", GCAD_PIXELS);
    ck_assert_double_le(relative_difference(map, expected, GCAD_PIXELS, 1), 1e-5);
    ck_assert(score == largest(map, GCAD_PIXELS));
    EadModel *read =
        reopened(&model->base, SCRATCH "model.safetensors",
                 "GCAD at 32x64, patches of 17,33 pixels, U-Nets of width 4, 6 numbers of a whole image");
    float *again = golden_map(read, GCAD_JUDGED, &again_score);
    ck_assert(memcmp(map, again, sizeof *map * GCAD_PIXELS) == 0 && score == again_score);
    free(map), free(again), free(expected);
    ead_model_free(read);
    ead_model_free(&model->base);
}
END_TEST

static const struct Spoiled {
    const char *key, *value, *words;
} spoiled[] = {
    {"fields", "33", "tensor 'teacher.p17.conv1.weight' and "},
    {"fields", "17,65", "tensor 'teacher.p65.conv1.weight' is missing"},
    {"fields", "33,17", "metadata 'fields' is '33,17', expected some of 17,33,65"},
    {"fields", "", "metadata 'fields' is ''"},
    {"unet", "8", "tensor 'local.p17.down1.conv1.weight'"},
    {"unet", "0", "metadata 'unet' is '0', expected a number from 1 to 1024"},
    {"width", "5", "tensor 'encode.p17.down1.weight'"},
    {"width", "1000000", "metadata 'width' is '1000000'"},
    {"bottleneck", "7", "tensor 'encode.p17.squeeze.weight'"},
    {"bottleneck", "", "metadata 'bottleneck' is ''"},
    {"image_size", "64x80", "images of 64x80: height and width must be multiples of 32"},
    {"image_size", "64x64", "tensor 'encode.p17.squeeze.weight'"},
};

START_TEST(bad_files_are_refused) {
    EadGcad *model = gcad_model("17,33");
    check_bad_file(&model->base, SCRATCH "bad.safetensors", spoiled[_i].key, spoiled[_i].value,
                   spoiled[_i].words);
    ead_model_free(&model->base);
}
END_TEST

/* Numbers that make a map of nothing, or none. */
START_TEST(bad_statistics_are_refused) {
    static const char *const words[] = {"bad.safetensors: the global map of patches of 33 pixels", "map.p33"};
    EadModel *read;
    for (int i = 0; i < 2; i++) {
        EadGcad *model = gcad_model("33");
        if (i == 0) model->maps[0].statistics[EAD_GCAD_GLOBAL][1] = 0;
        if (i == 1) model->maps[0].statistics[EAD_GCAD_LOCAL][0] = INFINITY;
        ASSERT_OK(ead_model_save(&model->base, SCRATCH "bad.safetensors", NULL));
        ck_assert_int_eq(ead_model_open(SCRATCH "bad.safetensors", &read), EAD_BAD_FILE);
        assert_contains(ead_error_message(), words[i]);
        ead_model_free(&model->base);
    }
}
END_TEST

/* ---- what it is trained on ---- */

enum { SIDE = 64, IMAGE = SIDE * SIDE * 3, BATCH = 2, DRAWS = 40 };

/* One image: red grows to the right, green downwards. */
static EadImageCache *gradient_image(EadImageList *list) {
    static uint8_t pixels[IMAGE];
    EadImageCache *cache;
    for (int i = 0; i < SIDE * SIDE; i++) {
        pixels[3 * i] = (uint8_t)(40 + 2 * (i % SIDE));
        pixels[3 * i + 1] = (uint8_t)(40 + 2 * (i / SIDE));
        pixels[3 * i + 2] = 100;
    }
    make_folders(SCRATCH "images/");
    ASSERT_OK(ead_png_write(SCRATCH "images/0.png",
                            &(EadImage){.pixels = pixels, .width = SIDE, .height = SIDE, .channels = 3}));
    *list = (EadImageList){0};
    ASSERT_OK(ead_image_list_add(list, SCRATCH "images"));
    ASSERT_OK(
        ead_image_cache_open(list, &(EadCacheSpec){.width = SIDE, .height = SIDE, .threads = 1}, &cache));
    return cache;
}

static int pixel(const uint8_t *from, int row, int column, int channel) {
    return from[3 * (row * SIDE + column) + channel];
}

START_TEST(images_are_mirrored_turned_and_coloured) {
    static uint8_t slot[BATCH * IMAGE], again[sizeof slot];
    EadImageList list;
    EadImageCache *cache = gradient_image(&list);
    EadAugmentedImages plain = {.train = cache, .height = SIDE, .width = SIDE, .batch = BATCH, .seed = 3};
    EadAugmentedImages mirrored = plain, turned = plain, coloured = plain;
    mirrored.mirrored = mirrored.flipped = 0.5, turned.turned = 3, coloured.jitter = true;
    int kinds[2][2] = {{0}}, directions[2] = {0}, changed = 0;
    for (uint64_t step = 1; step <= DRAWS; step++) {
        ASSERT_OK(ead_augmented_images_fill(&plain, step, slot));
        for (int b = 0; b < BATCH; b++) ck_assert_int_eq(pixel(slot + b * IMAGE, 5, 9, 0), 58);
        ASSERT_OK(ead_augmented_images_fill(&mirrored, step, slot));
        for (int b = 0; b < BATCH; b++) {
            bool left = pixel(slot + b * IMAGE, 5, 9, 0) != 58, top = pixel(slot + b * IMAGE, 5, 9, 1) != 50;
            ck_assert_int_eq(pixel(slot + b * IMAGE, 5, 9, 0), left ? 40 + 2 * (SIDE - 10) : 58);
            ck_assert_int_eq(pixel(slot + b * IMAGE, 5, 9, 1), top ? 40 + 2 * (SIDE - 6) : 50);
            kinds[left][top]++;
        }
        ASSERT_OK(ead_augmented_images_fill(&turned, step, slot));
        for (int b = 0; b < BATCH;
             b++) { /* by up to 3 degrees, 58 pixels across: at most 3 pixels, 6 steps of gray */
            int down = pixel(slot + b * IMAGE, 31, 60, 1) - pixel(slot + b * IMAGE, 31, 2, 1);
            ck_assert(abs(down) <= 7);
            directions[down > 0]++;
        }
        ASSERT_OK(ead_augmented_images_fill(&coloured, step, slot));
        for (int b = 0; b < BATCH; b++) changed += pixel(slot + b * IMAGE, 5, 9, 2) != 100;
    }
    for (int i = 0; i < 4; i++) ck_assert(kinds[i / 2][i % 2] > DRAWS / 8);
    ck_assert(directions[0] > DRAWS / 4 && directions[1] > DRAWS / 4 && changed > DRAWS);
    turned.mirrored = turned.flipped = 0.5, turned.jitter = true;
    ASSERT_OK(ead_augmented_images_fill(&turned, 7, slot));
    ASSERT_OK(ead_augmented_images_fill(&turned, 7, again));
    ck_assert(memcmp(slot, again, sizeof slot) == 0);
    ead_image_cache_close(cache);
    ead_image_list_free(&list);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("gcad");
    TCase *tests = tcase_create("gcad");
    tcase_set_timeout(tests, 0);
    tcase_add_unchecked_fixture(tests, open_golden, close_golden);
    tcase_add_test(tests, steps_are_those_of_pytorch);
    tcase_add_test(tests, the_map_is_that_of_pytorch_and_files_give_it_back);
    tcase_add_loop_test(tests, bad_files_are_refused, 0, (int)(sizeof spoiled / sizeof *spoiled));
    tcase_add_test(tests, bad_statistics_are_refused);
    tcase_add_test(tests, images_are_mirrored_turned_and_coloured);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
