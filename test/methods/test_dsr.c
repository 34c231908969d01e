/* DSR against its authors' modules in PyTorch (test/golden/methods/dsr_golden.py), the images and masks that it is trained on, and
 * what its files give back and refuse. */
#include "test/methods/dsr_golden.h"
#include "test/methods/model_files.h"

#include "core/base/real.h"
#include "data/drawn/perlin.h"
#include "data/loader/disturbed_images.h"
#include "test/support/runs.h"
#include "test/support/sample_models.h"
#include "train/dsr/dsr_step.h"

#define SCRATCH "build/scratch/test_dsr/"

static EadSafetensors *golden;

static void open_golden(void) {
    ASSERT_OK(ead_safetensors_open("test/golden/methods/dsr.safetensors", &golden));
    make_folders(SCRATCH);
}

static void close_golden(void) {
    ead_safetensors_close(golden);
}

/* PyTorch in float is off by 2.3e-4 of the map itself: instance norms of networks just drawn divide by little. */
static const double FLOAT_BOUND = 5e-4;

START_TEST(trainings_are_those_of_pytorch) {
    SKIP_UNLESS(!SANITIZED, "takes too long under sanitizers; double_dsr holds the same");
    /* the gradients of what stands behind such norms are compared in double */
    DsrBounds all = {1e-4, 1e-4, 1e-3, 1e-2}, losses = {1e-4, FLOAT_BOUND, 0, 0};
    check_dsr_training(golden, (DsrTraining)_i, _i == DSR_CODEBOOK ? all : losses);
}
END_TEST

/* ---- detectors and files ---- */

enum { PIXELS = DSR_SIDE * DSR_SIDE };

START_TEST(map_and_score_are_those_of_pytorch) {
    EadDsr *model = dsr_model();
    float score, *map = golden_map(&model->base, DSR_JUDGED, &score);
    double *expected = golden_numbers(golden, "map", PIXELS), *of_image = golden_numbers(golden, "score", 1),
           got = (double)score;
    ck_assert_double_le(relative_difference(map, expected, PIXELS, 1), FLOAT_BOUND);
    check_numbers("score", &got, of_image, 1, 1e-4);
    free(map), free(expected), free(of_image);
    ead_model_free(&model->base);
}
END_TEST

START_TEST(files_give_the_same_model_back) {
    EadDsr *model = dsr_model();
    float before_score, after_score, *before = golden_map(&model->base, DSR_JUDGED, &before_score);
    EadModel *read = reopened(&model->base, SCRATCH "model.safetensors",
                              "DSR at 64x64, two books of 32 codes of 8 numbers, U-Nets of width 8");
    float *after = golden_map(read, DSR_JUDGED, &after_score);
    ck_assert(memcmp(before, after, sizeof *before * PIXELS) == 0 && before_score == after_score);
    free(before), free(after);
    ead_model_free(read);
    ead_model_free(&model->base);
}
END_TEST

static const struct Spoiled {
    const char *key, *value, *words;
} spoiled[] = {
    {"channels", "7", "metadata 'channels' is '7', expected an even number"},
    {"channels", "16", "tensor 'vq.encoder_hi.conv1.weight'"},
    {"channels", "1000000", "metadata 'channels' is '1000000', expected a number from 2 to 1024"},
    {"codes", "33", "tensor 'codes.lo'"},
    {"codes", "9000", "metadata 'codes' is '9000'"},
    {"codes", "", "metadata 'codes' is ''"},
    {"unet", "0", "metadata 'unet' is '0'"},
    {"unet", "9", "tensor 'detect.down1.conv1.weight'"},
    {"image_size", "80x64", "images of 80x64: height and width must be multiples of 32 from 64 on"},
};

START_TEST(bad_files_are_refused) {
    EadDsr *model = dsr_model();
    check_bad_file(&model->base, SCRATCH "bad.safetensors", spoiled[_i].key, spoiled[_i].value,
                   spoiled[_i].words);
    ead_model_free(&model->base);
}
END_TEST

/* ---- what it is trained on ---- */

START_TEST(noise_is_that_of_the_original) {
    enum { ROWS = 4, COLUMNS = 8 };
    EadPerlin perlin = ead_perlin(ROWS, COLUMNS, 3, EAD_STREAM_TEST, 5);
    double *expected = golden_numbers(golden, "perlin", PIXELS), got[PIXELS];
    for (int i = 0; i < PIXELS; i++)
        got[i] = ead_perlin_at(&perlin, (double)(i / DSR_SIDE * ROWS) / DSR_SIDE,
                               (double)(i % DSR_SIDE * COLUMNS) / DSR_SIDE);
    check_numbers("perlin", got, expected, PIXELS, 1e-12);
    free(expected);
}
END_TEST

enum { IMAGES = 3, CODES = 100, STEPS = 40, LO_CELLS = PIXELS / 64, HI_CELLS = PIXELS / 16 };

/* Images of one gray each. */
static EadImageCache *gray_images(EadImageList *list) {
    static uint8_t pixels[DSR_IMAGE];
    EadImageCache *cache;
    *list = (EadImageList){0};
    for (int i = 0; i < IMAGES; i++) {
        char path[96];
        memset(pixels, 100 + 40 * i, sizeof pixels);
        snprintf(path, sizeof path, SCRATCH "images/%d.png", i);
        make_folders(path);
        ASSERT_OK(ead_png_write(
            path, &(EadImage){.pixels = pixels, .width = DSR_SIDE, .height = DSR_SIDE, .channels = 3}));
    }
    ASSERT_OK(ead_image_list_add(list, SCRATCH "images"));
    EadCacheSpec spec = {.width = DSR_SIDE, .height = DSR_SIDE, .threads = 1};
    ASSERT_OK(ead_image_cache_open(list, &spec, &cache));
    return cache;
}

/* The parts of a slot of one image. */
typedef struct OneImage {
    uint8_t image[DSR_IMAGE];
    real lo[2][LO_CELLS], hi[HI_CELLS], target[PIXELS];
} OneImage;

static int count_ranks(const real *ranks, int count) {
    int disturbed = 0;
    for (int i = 0; i < count; i++) {
        ck_assert(ranks[i] == 0 || (ranks[i] >= 5 && ranks[i] < CODES - 1)); /* the nearest 5 % are spared */
        disturbed += ranks[i] > 0;
    }
    return disturbed;
}

/* Where ranks of a level are disturbed, the target's pixels are 1, and nowhere else. */
static void check_target(const OneImage *s, const real *ranks, int side) {
    int cells = DSR_SIDE / side;
    for (int i = 0; i < PIXELS; i++) {
        int cell = i / DSR_SIDE / side * cells + i % DSR_SIDE / side;
        ck_assert((s->target[i] == 1) == (ranks[cell] > 0) && (s->target[i] == 0 || s->target[i] == 1));
    }
}

START_TEST(codes_are_disturbed_where_the_target_says) {
    static OneImage slot, again;
    EadImageList list;
    EadImageCache *cache = gray_images(&list);
    EadDisturbedImages images = {cache, DSR_SIDE, DSR_SIDE, 1, 9, CODES, 0.5, 0.2, 0.05};
    int kinds[4] = {0}, turned = 0;
    for (uint64_t step = 1; step <= STEPS; step++) {
        ASSERT_OK(ead_disturbed_images_fill(&images, step, (uint8_t *)&slot));
        int restored = count_ranks(slot.lo[0], LO_CELLS), followed = count_ranks(slot.lo[1], LO_CELLS),
            hi = count_ranks(slot.hi, HI_CELLS);
        ck_assert(followed == 0 || memcmp(slot.lo[0], slot.lo[1], sizeof slot.lo[0]) == 0);
        ck_assert((followed > 0) == (restored > 0 && hi > 0));
        check_target(&slot, restored ? slot.lo[0] : slot.hi, restored ? EAD_DSR_LO : EAD_DSR_HI);
        kinds[(restored > 0) + 2 * (hi > 0)]++;
        turned += slot.image[0] == 0;
    }
    ck_assert(kinds[0] > STEPS / 4 && kinds[1] > 0 && kinds[2] > 0 && kinds[3] > 0);
    ck_assert(turned > STEPS / 4 && turned < 3 * STEPS / 4);
    ASSERT_OK(ead_disturbed_images_fill(&images, STEPS, (uint8_t *)&again));
    ck_assert(memcmp(&slot, &again, sizeof slot) == 0);
    ead_image_cache_close(cache);
    ead_image_list_free(&list);
}
END_TEST

START_TEST(smudges_are_where_the_target_says) {
    static OneImage slot; /* of which images and as many targets behind them are filled */
    EadImageList list;
    EadImageCache *cache = gray_images(&list);
    EadDisturbedImages images = {cache, DSR_SIDE, DSR_SIDE, 1, 9, CODES, 0, 0.2, 0.05};
    int smudged = 0;
    for (uint64_t step = 1; step <= STEPS; step++) {
        const real *target = (const real *)(const void *)(slot.image + DSR_IMAGE);
        ASSERT_OK(ead_smudged_images_fill(&images, step, (uint8_t *)&slot));
        int inside = 0, changed = 0, clear = -1;
        for (int i = 0; i < PIXELS; i++) {
            const uint8_t *p = slot.image + 3 * i;
            bool gray = p[0] == p[1] && p[1] == p[2] && (p[0] - 100) % 40 == 0;
            if (target[i] == 0) ck_assert(gray && (clear < 0 || clear == p[0])), clear = p[0];
            inside += target[i] == 1, changed += !gray;
        }
        ck_assert(changed <= inside && (inside == 0 || changed > 0));
        smudged += inside > 0;
    }
    ck_assert(smudged > STEPS / 5 && smudged < STEPS * 4 / 5);
    ead_image_cache_close(cache);
    ead_image_list_free(&list);
}
END_TEST

/* Codes of a new book begin as what the first step quantises, so that all are of use. */
START_TEST(steps_train_and_new_books_are_used) {
    EadDsr *model = dsr_model();
    EadParams averages = {0};
    EadStep step;
    static uint8_t slot[2 * DSR_IMAGE];
    float rows[EAD_LOSS_ROWS * (EAD_MAX_LOSSES + 1)];
    int count;
    double first = 0, last = 0;
    ASSERT_OK(ead_dsr_averages_new(&model->spec, &averages));
    EadDsrCodebookOptions options = {2, 2e-3, 0.25, 0.9, 0.03, 1};
    ASSERT_OK(ead_dsr_codebook_step_new(model, &averages, &options, NULL, &step));
    ck_assert_uint_eq(ead_step_slot_bytes(&step), sizeof slot);
    for (int i = 0; i < 2; i++)
        golden_image((uint64_t)(DSR_TRAINED + i), DSR_SIDE, DSR_SIDE, slot + i * DSR_IMAGE);
    for (int s = 0; s < 12; s++) {
        ead_step_run(&step, slot);
        ASSERT_OK(ead_step_losses(&step, rows, &count));
        last = (double)rows[4];
        if (s == 0) first = last;
    }
    ck_assert(count == 1 && last < 0.98 * first && last > 0);
    for (int m = 0; m < DSR_CODES; m++) {
        const real *average = averages.values + (ptrdiff_t)m * (DSR_CHANNELS + 1);
        ck_assert(average[DSR_CHANNELS] > 0 && fabs((double)model->codes.values[m * DSR_CHANNELS]) < 10);
    }
    ead_step_free(&step);
    ead_params_free(&averages);
    ead_model_free(&model->base);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("dsr");
    TCase *tests = tcase_create("dsr");
    tcase_set_timeout(tests, 0);
    tcase_add_unchecked_fixture(tests, open_golden, close_golden);
    tcase_add_loop_test(tests, trainings_are_those_of_pytorch, DSR_CODEBOOK, DSR_REFINING + 1);
    tcase_add_test(tests, map_and_score_are_those_of_pytorch);
    tcase_add_test(tests, files_give_the_same_model_back);
    tcase_add_loop_test(tests, bad_files_are_refused, 0, (int)(sizeof spoiled / sizeof *spoiled));
    tcase_add_test(tests, noise_is_that_of_the_original);
    tcase_add_test(tests, codes_are_disturbed_where_the_target_says);
    tcase_add_test(tests, smudges_are_where_the_target_says);
    tcase_add_test(tests, steps_train_and_new_books_are_used);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
