/* Scores of an image from its map: by the largest values, as a sort of them says, in any detector whose model asks for it. */
#include "core/image/map_score.h"
#include "models/efficientad.h"
#include "test/support/sample_models.h"

#include <math.h>

#define FOLDER "build/scratch/test_scores/"
#define MODEL  FOLDER "model.safetensors"

enum { COUNT = 3000, CELLS = TINY_SIDE * TINY_SIDE, WIDE = 150, HIGH = 90 };

static int descending(const void *left, const void *right) {
    float a = *(const float *)left, b = *(const float *)right;
    return (a < b) - (a > b);
}

/* The same by a sort of those inside. */
static double expected_score(const float *map, const uint8_t *inside, int64_t count, EadScoreRule rule) {
    float *sorted = malloc((size_t)count * sizeof *sorted);
    int there = 0;
    double sum = 0;
    for (int64_t i = 0; i < count; i++)
        if (!inside || inside[i]) sorted[there++] = map[i];
    qsort(sorted, (size_t)there, sizeof *sorted, descending);
    int cells = rule.cells < there ? rule.cells : there;
    for (int i = 0; i < cells; i++) sum += (double)sorted[i];
    double last = (double)sorted[cells - 1], first = (double)sorted[0];
    free(sorted);
    return rule.method == EAD_SCORE_MAX ? first : rule.method == EAD_SCORE_AREA ? last : sum / cells;
}

/* levels: of which the values are, few for ties. */
static void fill_map(float *map, uint8_t *inside, int levels, uint32_t seed) {
    static uint8_t noise[2 * COUNT];
    fill_noise(noise, sizeof noise, seed);
    for (int i = 0; i < COUNT; i++) {
        map[i] = (float)(noise[i] % levels) - 100;
        inside[i] = noise[COUNT + i] % 3 > 0;
    }
}

START_TEST(the_largest_values_are_those_of_a_sort) {
    static const int cells[] = {1, 2, 3, 7, 100, COUNT - 1, COUNT, EAD_SCORE_MOST_CELLS};
    static float map[COUNT], top[COUNT];
    static uint8_t inside[COUNT];
    for (uint32_t seed = 0; seed < 6; seed++) {
        fill_map(map, inside, seed % 2 ? 256 : 5, seed);
        for (size_t k = 0; k < sizeof cells / sizeof *cells; k++)
            for (int method = EAD_SCORE_MAX; method <= EAD_SCORE_AREA; method++) {
                EadScoreRule rule = {(EadScoreMethod)method, cells[k]};
                ck_assert_double_eq_tol((double)ead_map_score(map, NULL, COUNT, rule, top),
                                        expected_score(map, NULL, COUNT, rule), 1e-5);
                ck_assert_double_eq_tol((double)ead_map_score(map, inside, COUNT, rule, top),
                                        expected_score(map, inside, COUNT, rule), 1e-5);
            }
    }
}
END_TEST

/* What grows lowers no score. */
START_TEST(scores_grow_with_the_map) {
    static float map[COUNT], top[COUNT];
    static uint8_t inside[COUNT];
    fill_map(map, inside, 256, 9);
    for (int method = EAD_SCORE_MAX; method <= EAD_SCORE_AREA; method++) {
        EadScoreRule rule = {(EadScoreMethod)method, 20};
        float before = ead_map_score(map, NULL, COUNT, rule, top);
        for (int i = 0; i < COUNT; i += 37) {
            map[i] += 50;
            float after = ead_map_score(map, NULL, COUNT, rule, top);
            ck_assert_float_ge(after, before);
            before = after;
        }
    }
}
END_TEST

/* ---- of models ---- */

static void save_model(EadScoreRule rule, bool masked) {
    EadEfficientad *model = tiny_model();
    EadImage mask;
    model->base.score = rule;
    fill_image(&mask, WIDE, HIGH, 1, 0);
    for (int y = 20; y < 60; y++) memset(mask.pixels + y * WIDE + 30, 1, 50);
    if (masked) ASSERT_OK(ead_region_set_mask(&model->base.region, &mask, TINY_SIDE, TINY_SIDE));
    make_folders(MODEL);
    ASSERT_OK(ead_model_save(&model->base, MODEL, NULL));
    ead_image_free(&mask);
    ead_model_free(&model->base);
}

/* The score of the library's detector, which is that of the map at the model's size that it gives. */
static float score_of_file(void) {
    static uint8_t rgb[WIDE * HIGH * 3];
    static float map[CELLS];
    float *place = map, score, alone;
    EadDetector *detector;
    EadModel *model;
    EadRunOptions options = {.size = sizeof options, .map_size = EAD_MAP_OF_MODEL};
    EadImageView view = {
        .size = sizeof view, .pixels = rgb, .width = WIDE, .height = HIGH, .stride = 3 * WIDE};
    fill_noise(rgb, sizeof rgb, 4);
    ASSERT_OK(ead_model_open(MODEL, &model));
    ASSERT_OK((EadStatus)ead_detector_open(MODEL, &detector));
    ASSERT_OK((EadStatus)ead_detector_run_images(detector, &view, 1, &options, &place, &score));
    ASSERT_OK((EadStatus)ead_detector_run(detector, rgb, WIDE, HIGH, 3 * WIDE, NULL, &alone));
    ck_assert_float_eq(score, alone);
    if (model->score.method != EAD_SCORE_MAX)
        ck_assert_double_eq_tol((double)score, expected_score(map, model->region.mask, CELLS, model->score),
                                1e-5 * fabs((double)score) + 1e-9);
    ead_detector_close(detector);
    ead_model_free(model);
    return score;
}

START_TEST(detectors_score_as_their_model_says) {
    for (int masked = 0; masked < 2; masked++) {
        save_model((EadScoreRule){EAD_SCORE_MAX, 0}, masked);
        float max = score_of_file();
        save_model((EadScoreRule){EAD_SCORE_TOP_MEAN, 50}, masked);
        float mean = score_of_file();
        save_model((EadScoreRule){EAD_SCORE_AREA, 50}, masked);
        float area = score_of_file();
        ck_assert_msg(area < mean && mean < max, "%g, %g, %g", (double)area, (double)mean, (double)max);
        save_model((EadScoreRule){EAD_SCORE_AREA, EAD_SCORE_MOST_CELLS}, masked);
        ck_assert_float_lt(score_of_file(), area);
    }
}
END_TEST

START_TEST(the_model_file_keeps_it) {
    EadSafetensors *file;
    EadModel *model;
    save_model((EadScoreRule){EAD_SCORE_MAX, 100}, false);
    ASSERT_OK(ead_model_open_file(MODEL, &file, &model));
    ck_assert_ptr_null(ead_safetensors_metadata(file, "score_method")); /* as files were before */
    ck_assert_int_eq(model->score.method, EAD_SCORE_MAX);
    ead_safetensors_close(file);
    ead_model_free(model);
    save_model((EadScoreRule){EAD_SCORE_TOP_MEAN, 37}, false);
    ASSERT_OK(ead_model_open_file(MODEL, &file, &model));
    ck_assert_str_eq(ead_safetensors_metadata(file, "score_method"), "top_mean");
    ck_assert_int_eq(model->score.method, EAD_SCORE_TOP_MEAN);
    ck_assert_int_eq(model->score.cells, 37);
    ck_assert(!ead_model_scores_by_peak(model));
    ck_assert(isnan(model->pixel_threshold));
    ead_safetensors_close(file);
    ead_model_free(model);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("scores");
    TCase *tests = tcase_create("scores");
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, the_largest_values_are_those_of_a_sort);
    tcase_add_test(tests, scores_grow_with_the_map);
    tcase_add_test(tests, detectors_score_as_their_model_says);
    tcase_add_test(tests, the_model_file_keeps_it);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
