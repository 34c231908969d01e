/* Models of gray images: the first layers work on one channel, and say what they say on three. */
#include "models/detector_state.h"
#include "test/support/sample_models.h"

#include <math.h>

#define FOLDER "build/scratch/test_detector_gray/"
#define MODEL  FOLDER "model.safetensors"

enum { WIDE = 150, HIGH = 90, PIXELS = WIDE * HIGH, SIDE = TINY_SIDE };

static uint8_t gray[PIXELS], rgb[PIXELS * 3], coloured[PIXELS * 3];

static void make_images(void) {
    make_folders(MODEL);
    fill_noise(coloured, sizeof coloured, 1);
    fill_noise(gray, sizeof gray, 2);
    for (int p = 0; p < PIXELS; p++) memset(rgb + 3 * p, gray[p], 3);
}

/* A model of gray images or not, of one kind of networks with drawn weights. */
static EadDetector *open_kind(EadPdnSize size, bool padding, bool of_gray, int batch) {
    EadEfficientad *model;
    EadDetectorOptions options = {.size = sizeof options, .batch = batch};
    EadDetector *detector;
    ASSERT_OK(ead_efficientad_new(&(EadEfficientadSpec){size, padding, SIDE, SIDE, true}, &model));
    ead_params_initialize(&model->teacher, 1);
    ead_params_initialize(&model->trained, 2);
    model->base.image_gray = of_gray;
    ASSERT_OK(ead_model_save(&model->base, MODEL, NULL));
    ead_efficientad_free(model);
    ASSERT_OK((EadStatus)ead_detector_open_with(MODEL, &options, &detector));
    return detector;
}

/* Channels that the teacher's first layer looks at. */
static int first_channels(const EadDetector *detector) {
    const EadNode *node = NULL;
    const EadPlan *plan = ead_detector_plan(detector);
    for (int i = 0; i < ead_plan_call_count(plan); i++) {
        ead_plan_call(plan, i, &node);
        if (node->op == EAD_OP_conv2d_pool) return node->x[0]->y.c;
    }
    return 0;
}

static EadImageView view_of(const void *pixels, EadPixelFormat format) {
    return (EadImageView){.size = sizeof(EadImageView),
                          .pixels = pixels,
                          .width = WIDE,
                          .height = HIGH,
                          .stride = format == EAD_PIXELS_GRAY8 ? WIDE : 3 * WIDE,
                          .format = format};
}

static float ask(EadDetector *detector, EadImageView view, float map[PIXELS]) {
    float score;
    ASSERT_OK((EadStatus)ead_detector_run_images(detector, &view, 1, NULL, &map, &score));
    return score;
}

static float first[PIXELS], second[PIXELS];

/* Within 1e-5 of the map's range and of the score, but not the same bits, which would be the same network. */
START_TEST(one_channel_is_the_rgb_image) {
    EadDetector *one = open_kind((EadPdnSize)_i, false, true, 1),
                *three = open_kind((EadPdnSize)_i, false, false, 1);
    float expected = ask(three, view_of(gray, EAD_PIXELS_GRAY8), first), least = first[0];
    float score = ask(one, view_of(gray, EAD_PIXELS_GRAY8), second), most = largest(first, PIXELS);
    ck_assert(first_channels(one) == 1 && first_channels(three) == 3);
    for (int p = 0; p < PIXELS; p++) least = fminf(least, first[p]);
    for (int p = 0; p < PIXELS; p++) ck_assert_float_eq_tol(second[p], first[p], 1e-5f * (most - least));
    ck_assert_float_eq_tol(score, expected, 1e-5f * fabsf(expected));
    ck_assert_mem_ne(first, second, sizeof first);
    ck_assert_float_eq(ask(one, view_of(rgb, EAD_PIXELS_RGB8), first), score);
    ck_assert_mem_eq(first, second, sizeof first);
    ead_detector_close(one);
    ead_detector_close(three);
}
END_TEST

/* A picture with colours is scored as before, and the next gray one by one channel again; a region of a call puts a colour
 * outside. */
START_TEST(colours_come_through) {
    EadDetector *one = open_kind(EAD_PDN_SMALL, false, true, 1),
                *three = open_kind(EAD_PDN_SMALL, false, false, 1);
    EadImageView picture = view_of(coloured, EAD_PIXELS_RGB8), plain = view_of(gray, EAD_PIXELS_GRAY8);
    EadRunOptions box = {.size = sizeof box, .box_width = 80, .box_height = 70};
    float before = ask(one, plain, first), score, expected;
    ck_assert_float_eq(ask(one, picture, first), ask(three, picture, second));
    ck_assert_mem_eq(first, second, sizeof first);
    ck_assert_int_eq(first_channels(one), 3);
    ck_assert_float_eq(ask(one, plain, first), before);
    ck_assert_int_eq(first_channels(one), 1);
    ASSERT_OK((EadStatus)ead_detector_run_images(one, &plain, 1, &box, NULL, &score));
    ASSERT_OK((EadStatus)ead_detector_run_images(three, &plain, 1, &box, NULL, &expected));
    ck_assert_float_eq(score, expected);
    ead_detector_close(one);
    ead_detector_close(three);
}
END_TEST

START_TEST(batches_may_be_mixed) {
    EadDetector *batches = open_kind(EAD_PDN_SMALL, false, true, 2),
                *alone = open_kind(EAD_PDN_SMALL, false, true, 1);
    EadImageView plain = view_of(gray, EAD_PIXELS_GRAY8), picture = view_of(coloured, EAD_PIXELS_RGB8);
    EadImageView views[] = {plain, plain, plain, picture, picture};
    float scores[5];
    ASSERT_OK((EadStatus)ead_detector_run_images(batches, views, 5, NULL, NULL, scores));
    for (int i = 0; i < 5; i++) {
        float expected = ask(alone, views[i], first);
        ck_assert_float_eq_tol(scores[i], expected, 1e-5f * fabsf(expected));
    }
    ead_detector_close(batches);
    ead_detector_close(alone);
}
END_TEST

/* Zeros around an image are no gray: networks with padding keep three channels, and their bits. */
START_TEST(padding_keeps_three_channels) {
    EadDetector *one = open_kind(EAD_PDN_SMALL, true, true, 1),
                *three = open_kind(EAD_PDN_SMALL, true, false, 1);
    EadImageView plain = view_of(gray, EAD_PIXELS_GRAY8);
    ck_assert_int_eq(first_channels(one), 3);
    ck_assert_float_eq(ask(one, plain, first), ask(three, plain, second));
    ck_assert_mem_eq(first, second, sizeof first);
    ead_detector_close(one);
    ead_detector_close(three);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("detector gray");
    TCase *cases = tcase_create("gray");
    tcase_set_timeout(cases, 0);
    tcase_add_unchecked_fixture(cases, make_images, NULL);
    tcase_add_loop_test(cases, one_channel_is_the_rgb_image, EAD_PDN_SMALL, EAD_PDN_MEDIUM + 1);
    tcase_add_test(cases, colours_come_through);
    tcase_add_test(cases, batches_may_be_mixed);
    tcase_add_test(cases, padding_keeps_three_channels);
    suite_add_tcase(suite, cases);
    return run_suite(suite);
}
