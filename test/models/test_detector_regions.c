/* Regions of interest of a call of the library: as one of the model, narrowing it, and gone afterwards. */
#include "models/efficientad.h"
#include "test/support/sample_models.h"

#include <math.h>

#define FOLDER "build/scratch/test_detector_regions/"
#define PLAIN  FOLDER "plain.safetensors"
#define MASKED FOLDER "masked.safetensors"
#define BOXED  FOLDER "boxed.safetensors"

enum { WIDE = 150, HIGH = 90, PIXELS = WIDE * HIGH, CELLS = TINY_SIDE * TINY_SIDE };

static uint8_t rgb[PIXELS * 3], mask[PIXELS];
static const EadRunOptions whole = {.size = sizeof whole},
                           of_mask = {
                               .size = sizeof of_mask, .mask = mask, .mask_width = WIDE, .mask_height = HIGH};

/* A disc, and a bar to its right. */
static bool is_inside(int x, int y) {
    return (x - 60) * (x - 60) + (y - 45) * (y - 45) < 40 * 40 || (x > 110 && y < 60);
}

/* Models without a region, with that mask, and with a box. */
static void make_scene(void) {
    EadEfficientad *model = tiny_model();
    EadImage image = {.pixels = mask, .width = WIDE, .height = HIGH, .channels = 1};
    fill_noise(rgb, sizeof rgb, 1);
    for (int p = 0; p < PIXELS; p++) mask[p] = is_inside(p % WIDE, p / WIDE) ? 9 : 0;
    make_folders(PLAIN);
    ASSERT_OK(ead_model_save(&model->base, PLAIN, NULL));
    ASSERT_OK(ead_region_set_box(&model->base.region, "10,4,100,80"));
    ASSERT_OK(ead_model_save(&model->base, BOXED, NULL));
    ASSERT_OK(ead_region_set_box(&model->base.region, ""));
    ASSERT_OK(ead_region_set_mask(&model->base.region, &image, TINY_SIDE, TINY_SIDE));
    ASSERT_OK(ead_model_save(&model->base, MASKED, NULL));
    ead_model_free(&model->base);
}

typedef struct Answer {
    float score, map[PIXELS], cells[CELLS];
} Answer;

static EadDetector *open_model(const char *path) {
    EadDetector *detector;
    ASSERT_OK((EadStatus)ead_detector_open(path, &detector));
    return detector;
}

static EadImageView view_of(int width, int height) {
    return (EadImageView){
        .size = sizeof(EadImageView), .pixels = rgb, .width = width, .height = height, .stride = 3 * WIDE};
}

static void ask(EadDetector *detector, EadRunOptions options, Answer *out) {
    EadImageView view = view_of(WIDE, HIGH);
    float *place = out->map, score;
    memset(out, 0, sizeof *out);
    ASSERT_OK((EadStatus)ead_detector_run_images(detector, &view, 1, &options, &place, &out->score));
    options.map_size = EAD_MAP_OF_MODEL;
    place = out->cells;
    ASSERT_OK((EadStatus)ead_detector_run_images(detector, &view, 1, &options, &place, &score));
    ck_assert_float_eq(score, out->score);
}

static void check_same(const Answer *a, const Answer *b) {
    ck_assert_mem_eq(a, b, sizeof *a);
}

/* The mask of a call is that of a model; the detector is what it was afterwards. */
START_TEST(a_mask_of_a_call_is_one_of_the_model) {
    static Answer first, call, model, again;
    EadDetector *plain = open_model(PLAIN), *masked = open_model(MASKED);
    ask(plain, whole, &first);
    ask(plain, of_mask, &call);
    ask(plain, whole, &again);
    ask(masked, whole, &model);
    check_same(&call, &model);
    check_same(&first, &again);
    ck_assert_float_ne(first.score, call.score);
    ask(masked, of_mask, &again);
    check_same(&again, &model);
    ead_detector_close(plain);
    ead_detector_close(masked);
}
END_TEST

static EadRunOptions boxed(int x, int y, int width, int height, EadRunOptions options) {
    options.box_x = x, options.box_y = y, options.box_width = width, options.box_height = height;
    return options;
}

/* By a box, a mask and both, of models without and with a region of their own. */
START_TEST(what_is_outside_moves_nothing) {
    static const char *const models[] = {PLAIN, MASKED, BOXED};
    static Answer first, second;
    static uint8_t kept[sizeof rgb], noise[sizeof rgb];
    EadRunOptions options = _i % 3 == 0 ? whole : of_mask;
    if (_i % 3 != 1) options = boxed(20, 10, 75, 55, options);
    EadDetector *detector = open_model(models[_i / 3]);
    memcpy(kept, rgb, sizeof rgb);
    fill_noise(noise, sizeof noise, 2);
    ask(detector, options, &first);
    for (int p = 0; p < PIXELS; p++) {
        int x = p % WIDE, y = p / WIDE;
        bool within = options.box_width == 0 || (x >= 20 && x < 95 && y >= 10 && y < 65);
        if (!within || (options.mask && !is_inside(x, y))) memcpy(rgb + 3 * p, noise + 3 * p, 3);
    }
    ask(detector, options, &second);
    check_same(&first, &second);
    ck_assert_float_eq(first.score, largest(first.map, PIXELS));
    ck_assert_float_eq(first.map[0], first.map[PIXELS - 1]); /* both outside: the least value */
    memset(rgb + 3 * (40 * WIDE + 60), 0, 30);
    ask(detector, options, &second);
    ck_assert_mem_ne(first.map, second.map, sizeof first.map);
    memcpy(rgb, kept, sizeof rgb);
    ead_detector_close(detector);
}
END_TEST

/* In batches, too, where they have different regions. */
START_TEST(images_of_several_sizes_share_a_box) {
    enum { COUNT = 5 };
    static const int sizes[COUNT][2] = {{150, 90}, {150, 90}, {120, 80}, {150, 80}, {150, 80}};
    EadDetectorOptions three = {.size = sizeof three, .batch = 3};
    EadRunOptions box = boxed(20, 10, 75, 55, whole);
    EadDetector *batches, *alone = open_model(PLAIN);
    EadImageView views[COUNT];
    float scores[COUNT], expected;
    ASSERT_OK((EadStatus)ead_detector_open_with(PLAIN, &three, &batches));
    for (int i = 0; i < COUNT; i++) views[i] = view_of(sizes[i][0], sizes[i][1]);
    ASSERT_OK((EadStatus)ead_detector_run_images(batches, views, COUNT, &box, NULL, scores));
    for (int i = 0; i < COUNT; i++) {
        ASSERT_OK((EadStatus)ead_detector_run_images(alone, &views[i], 1, &box, NULL, &expected));
        ck_assert_float_eq_tol(scores[i], expected, 2e-6f * fabsf(expected));
    }
    ead_detector_close(batches);
    ead_detector_close(alone);
}
END_TEST

/* Rows of a mask may be padded and stored from the last; it counts whether a byte is 0. */
START_TEST(masks_may_lie_in_any_way) {
    static uint8_t other[(WIDE + 7) * HIGH];
    static Answer first, second;
    EadDetector *detector = open_model(PLAIN);
    EadRunOptions options = of_mask;
    for (int p = 0; p < PIXELS; p++)
        if (is_inside(p % WIDE, p / WIDE))
            other[(HIGH - 1 - p / WIDE) * (WIDE + 7) + p % WIDE] = (uint8_t)(1 + p % 255);
    ask(detector, options, &first);
    options.mask = other + (HIGH - 1) * (WIDE + 7);
    options.mask_stride = -(WIDE + 7);
    ask(detector, options, &second);
    check_same(&first, &second);
    ead_detector_close(detector);
}
END_TEST

START_TEST(regions_that_cannot_be_are_refused) {
    static const uint8_t nothing[PIXELS];
    EadRunOptions narrow = of_mask, short_rows = of_mask, far_rows = of_mask, back_rows = of_mask,
                  empty = of_mask;
    narrow.mask_width = WIDE - 1;
    short_rows.mask_stride = WIDE - 1;
    far_rows.mask_stride = PTRDIFF_MAX / HIGH + 1; /* offsets would overflow */
    back_rows.mask_stride = PTRDIFF_MIN;
    empty.mask = nothing;
    const struct {
        const char *model, *says;
        EadRunOptions options;
    } rows[] = {{PLAIN, "does not hold the box 100,0,51,10 (x,y,width,height)", boxed(100, 0, 51, 10, whole)},
                {PLAIN, "does not hold the box", boxed(0, 81, 10, 10, whole)},
                {PLAIN, "does not hold the box", boxed(-1, 0, 10, 10, whole)},
                {PLAIN, "does not hold the box", boxed(0, 0, 10, 0, whole)},
                {PLAIN, "does not hold the box", boxed(0, 0, -1, 10, whole)},
                {PLAIN, "does not hold the box", boxed(INT32_MAX, 0, INT32_MAX, 10, whole)},
                {PLAIN, "the mask has 149 x 90 pixels, and the image 150 x 90", narrow},
                {PLAIN, "a stride of 149 bytes from row to row of a mask 150 pixels wide", short_rows},
                {PLAIN, "bytes from row to row of a mask 150 pixels wide", far_rows},
                {PLAIN, "bytes from row to row of a mask 150 pixels wide", back_rows},
                {PLAIN, "nothing is inside", empty},
                {PLAIN, "nothing is inside", boxed(3, 3, 1, 1, whole)}, /* vanishes in the resize */
                {BOXED, "nothing is inside", boxed(120, 0, 30, 90, whole)},
                {MASKED, "nothing of it is inside of the model's own region", boxed(0, 0, 12, 12, whole)}};
    EadImageView view = view_of(WIDE, HIGH);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        EadDetector *detector = open_model(rows[i].model);
        float score = 7;
        ASSERT_FAILS((EadStatus)ead_detector_run_images(detector, &view, 1, &rows[i].options, NULL, &score),
                     EAD_BAD_ARGUMENT, rows[i].says);
        ck_assert_float_eq(score, 7);
        ead_detector_close(detector);
    }
}
END_TEST

/* Sizes that are none are told as such, whatever the model inspects. */
START_TEST(images_without_a_size_are_refused) {
    static const char *const models[] = {PLAIN, BOXED, MASKED};
    for (int i = 0; i < 3; i++) {
        EadDetector *detector = open_model(models[i]);
        EadImageView view = view_of(-1, HIGH);
        float score;
        ASSERT_FAILS((EadStatus)ead_detector_run_images(detector, &view, 1, NULL, NULL, &score),
                     EAD_BAD_SHAPE, "-1 x 90");
        ck_assert_ptr_null(strstr(ead_error_message(), "box of the region of interest,  "));
        ead_detector_close(detector);
    }
}
END_TEST

/* What a program of before regions knows of the struct, with anything behind it. */
START_TEST(shorter_options_have_no_region) {
    static Answer first, second;
    EadRunOptions old = of_mask;
    EadDetector *detector = open_model(PLAIN);
    old.size = offsetof(EadRunOptions, mask);
    ask(detector, whole, &first);
    ask(detector, old, &second);
    check_same(&first, &second);
    ead_detector_close(detector);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("detector regions");
    TCase *cases = tcase_create("regions");
    tcase_set_timeout(cases, 0);
    tcase_add_unchecked_fixture(cases, make_scene, NULL);
    tcase_add_test(cases, a_mask_of_a_call_is_one_of_the_model);
    tcase_add_loop_test(cases, what_is_outside_moves_nothing, 0, 9);
    tcase_add_test(cases, images_of_several_sizes_share_a_box);
    tcase_add_test(cases, masks_may_lie_in_any_way);
    tcase_add_test(cases, regions_that_cannot_be_are_refused);
    tcase_add_test(cases, images_without_a_size_are_refused);
    tcase_add_test(cases, shorter_options_have_no_region);
    suite_add_tcase(suite, cases);
    return run_suite(suite);
}
