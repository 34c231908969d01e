/* Pixel metrics against golden values (numpy, scikit-learn, scikit-image), against hand-computed cases, and
 * against the slow, obvious transcription of their definitions in metric_scenes.h. */
#include "test/golden/measure/pimo_golden.h"
#include "test/golden/metrics_golden.h"
#include "test/support/scratch.h"
#include "test/train/metric_scenes.h"

/* The mask of one image alone, on borrowed pixels. */
static EadStatus add_masked(EadProAccumulator *pro, const float *map, uint8_t *mask, int width, int height,
                            int group) {
    EadGroundTruth truth = {.mask = {width, height, 1, mask}};
    return ead_pro_add(pro, map, width, height, &truth, NULL, group);
}

static void check_scene(const MetricScene *scene) {
    static const double limits[] = {0.01, 0.05, 0.3, 1.0};
    EadProAccumulator *pro = accumulate(scene);
    for (int group = EAD_PRO_ALL; group <= 3; group++) {
        PixelMetrics metrics = measure(pro, group, limits, 4);
        for (int i = 0; i < 4; i++) {
            ASSERT_CLOSE(metrics.au_pro[i], slow_area(slow_pro, scene, group, limits[i]));
            ASSERT_CLOSE(metrics.au_spro[i], slow_area(slow_spro, scene, group, limits[i]));
        }
        double ap, f1, pixel_auroc = slow_pixel_auroc(scene, group);
        slow_precision(scene, group, &ap, &f1);
        ASSERT_CLOSE(metrics.pixel_auroc, pixel_auroc);
        ASSERT_CLOSE(metrics.pixel_ap, ap);
        ASSERT_CLOSE(metrics.pixel_f1_best, f1);
    }
    ead_pro_free(pro);
}

START_TEST(pro_agrees_with_its_definition) {
    static MetricScene scene;
    uint64_t random = 0;
    for (int round = 0; round < 60; round++) {
        int only = round < 50 ? -1 : round < 55 ? EAD_PRO_GOOD : 1;
        make_scene(&scene, &random, only, 0);
        check_scene(&scene);
    }
}
END_TEST

/* Pixels that do not count are as if they were not there. */
START_TEST(pixels_outside_are_in_no_figure) {
    enum { WIDE = 6, LEFT = 4, HIGH = 3 };
    static const double limits[] = {0.3, 1};
    float map[2][WIDE * HIGH], left[2][LEFT * HIGH];
    uint8_t inside[WIDE * HIGH], mask[WIDE * HIGH] = {0}, left_mask[LEFT * HIGH] = {0};
    EadProAccumulator *whole, *part;
    ASSERT_OK(ead_pro_new(&whole));
    ASSERT_OK(ead_pro_new(&part));
    for (int k = 0; k < 2; k++)
        for (int i = 0; i < WIDE * HIGH; i++) {
            int x = i % WIDE, at = i / WIDE * LEFT + x;
            map[k][i] = (float)((i * 7 + k * 5) % 17);
            inside[i] = x < LEFT;
            if (x < LEFT) left[k][at] = map[k][i];
            if (x < LEFT && (i == 1 || i == 2 || i == 15)) mask[i] = left_mask[at] = 1;
        }
    EadGroundTruth truth = {.mask = {WIDE, HIGH, 1, mask}}, left_truth = {.mask = {LEFT, HIGH, 1, left_mask}};
    for (int k = 0; k < 2; k++) {
        ASSERT_OK(ead_pro_add(whole, map[k], WIDE, HIGH, k ? &truth : NULL, inside, k));
        ASSERT_OK(ead_pro_add(part, left[k], LEFT, HIGH, k ? &left_truth : NULL, NULL, k));
    }
    ead_pro_sort(whole);
    ead_pro_sort(part);
    PixelMetrics a = measure(whole, EAD_PRO_ALL, limits, 2), b = measure(part, EAD_PRO_ALL, limits, 2);
    for (int i = 0; i < 2; i++) ck_assert_double_eq(a.au_pro[i], b.au_pro[i]);
    ck_assert(a.pixel_auroc == b.pixel_auroc && a.pixel_ap == b.pixel_ap &&
              a.pixel_f1_best == b.pixel_f1_best);
    ck_assert(a.pixel_auroc > 0 && a.pixel_auroc < 1);
    ead_pro_free(whole);
    ead_pro_free(part);
}
END_TEST

static void check_types(const MetricScene *scene) {
    static const double limits[] = {0.01, 0.05, 0.3, 1.0};
    EadProAccumulator *pro = collect(scene);
    ead_pro_sort_images(pro);
    for (int type = 0; type < 4; type++) { /* the last one never occurs */
        double au_spro[4];
        ck_assert_int_eq(ead_pro_measure_type(pro, type, limits, 4, au_spro), EAD_OK);
        for (int i = 0; i < 4; i++)
            ASSERT_CLOSE(au_spro[i], slow_area(slow_spro, scene, ONE_TYPE + type, limits[i]));
    }
    ead_pro_sort(pro); /* what follows knows nothing of it */
    double limit = 1;
    ASSERT_CLOSE(measure(pro, EAD_PRO_ALL, &limit, 1).au_spro[0],
                 slow_area(slow_spro, scene, EAD_PRO_ALL, 1));
    ead_pro_free(pro);
}

START_TEST(spro_of_a_type_agrees_with_its_definition) {
    static MetricScene scene;
    uint64_t random = 70000;
    for (int round = 0; round < 60; round++) {
        make_scene(&scene, &random, round < 50 ? -1 : 1, 1);
        check_types(&scene);
    }
}
END_TEST

START_TEST(spro_agrees_with_its_definition) {
    static MetricScene scene;
    uint64_t random = 50000;
    for (int round = 0; round < 60; round++) {
        make_scene(&scene, &random, round < 50 ? -1 : 1, 1);
        check_scene(&scene);
    }
}
END_TEST

/* Seven pixels in a row: channel A covers 0..3 and is found with 2, B covers 2..4 and is found with 3. Scores
 * fall from left to right, but the good pixels 5 and 6 come second and fifth:
 *        pixel 0  good 5  pixel 1  pixel 2  good 6  pixel 3  pixel 4
 *     FPR    0      1/2     1/2      1/2      1        1        1
 *     A     1/2     1/2      1        1       1        1        1
 *     B      0       0       0       1/3     1/3      2/3       1      sPRO is the mean of both. */
START_TEST(spro_by_hand) {
    static const float map[] = {9, 7, 6, 4, 3, 8, 5};
    static uint8_t mask[] = {1, 1, 1, 1, 1, 0, 0}, a[] = {1, 1, 1, 1, 0, 0, 0}, b[] = {0, 0, 1, 1, 1, 0, 0};
    static const double limits[] = {0.5, 0.75, 1.0};
    EadDefectChannel channels[] = {{.mask = a, .saturation = 2}, {.mask = b, .saturation = 3}};
    EadGroundTruth truth = {.mask = {7, 1, 1, mask}, .channels = channels, .channel_count = 2};
    EadProAccumulator *pro = NULL;
    ck_assert_int_eq(ead_pro_new(&pro), EAD_OK);
    ck_assert_int_eq(ead_pro_add(pro, map, 7, 1, &truth, NULL, 1), EAD_OK);
    ead_pro_sort(pro);
    PixelMetrics metrics = measure(pro, EAD_PRO_ALL, limits, 3);
    ASSERT_CLOSE(metrics.au_spro[0], 1.0 / 4);
    ASSERT_CLOSE(metrics.au_spro[1], (0.5 / 4 + 0.25 * 2 / 3) / 0.75);
    ASSERT_CLOSE(metrics.au_spro[2], 0.5 / 4 + 0.5 * 2 / 3);
    ASSERT_CLOSE(metrics.au_pro[2], 0.5 * 1 / 5 + 0.5 * 3 / 5);
    ASSERT_CLOSE(metrics.pixel_ap, (1 + 2.0 / 3 + 3.0 / 4 + 4.0 / 6 + 5.0 / 7) / 5);
    ASSERT_CLOSE(metrics.pixel_f1_best, 10.0 / 12);
    ck_assert(metrics.pixel_f1_threshold == 3);
    ead_pro_free(pro);
}
END_TEST

enum { golden_pixels = golden_width * golden_height };

/* The golden channels of an image, and their union in place of its mask. */
static int golden_channels_of(int image, uint8_t masks[][golden_pixels], EadDefectChannel *channels,
                              uint8_t *mask) {
    int count = 0;
    memset(mask, 0, golden_pixels);
    for (int c = 0; c < golden_channel_count; c++) {
        if (golden_channels[c][0] != image) continue;
        for (int i = 0; i < golden_pixels; i++) {
            masks[count][i] = golden_channel_masks[c * golden_pixels + i] == '#';
            mask[i] |= masks[count][i];
        }
        channels[count] = (EadDefectChannel){.mask = masks[count], .saturation = golden_channels[c][1]};
        count++;
    }
    return count;
}

static void check_golden(int with_channels, size_t memory, const double rows[3][8]) {
    static const int groups[3] = {EAD_PRO_ALL, 1, 2};
    static uint8_t channel_masks[golden_channel_count][golden_pixels];
    EadProAccumulator *pro = NULL;
    ck_assert_int_eq(ead_pro_new(&pro), EAD_OK);
    ead_pro_spill(pro, "build/scratch", memory);
    for (int k = 0; k < golden_images; k++) {
        float map[golden_pixels];
        uint8_t mask[golden_pixels];
        EadDefectChannel channels[golden_channel_count];
        EadGroundTruth truth = {.mask = {golden_width, golden_height, 1, mask}, .channels = channels};
        for (int i = 0; i < golden_pixels; i++) {
            map[i] = (float)(golden_levels[k * golden_pixels + i] - 'A') / 8;
            mask[i] = golden_masks[k * golden_pixels + i] == '#';
        }
        if (with_channels) truth.channel_count = golden_channels_of(k, channel_masks, channels, mask);
        ck_assert_int_eq(ead_pro_add(pro, map, golden_width, golden_height, &truth, NULL, golden_groups[k]),
                         EAD_OK);
    }
    ead_pro_sort(pro);
    for (int row = 0; row < 3; row++) {
        PixelMetrics metrics = measure(pro, groups[row], golden_limits, 3);
        for (int i = 0; i < 3; i++) ASSERT_CLOSE(metrics.au_pro[i], rows[row][i]);
        for (int i = 0; i < 3; i++) ASSERT_CLOSE(metrics.au_spro[i], rows[row][3 + i]);
        ASSERT_CLOSE(metrics.pixel_auroc, rows[row][6]);
        ASSERT_CLOSE(metrics.pixel_ap, rows[row][7]);
    }
    ead_pro_free(pro);
}

START_TEST(pro_agrees_with_golden_values) {
    for (size_t memory = 0; memory <= 1000; memory += 500) { /* all in memory, all or some in files */
        check_golden(0, memory, golden_pixel_metrics);
        check_golden(1, memory, golden_pixel_metrics + 3);
    }
}
END_TEST

/* Two defects of areas 1 and 2 among 5 pixels, good ones 2. Descending: defect A, good, defect B (1 of 2)
 * tied with good, rest of B. Points (0, 1/2), (1/2, 1/2), (1, 3/4), (1, 1). */
START_TEST(pro_by_hand) {
    static const float map[] = {9, 8, 7, 7, -6};
    static uint8_t mask[] = {1, 0, 1, 0, 0};
    static uint8_t real_mask[] = {1, 0, 1, 1, 0}; /* A, gap, B of two, good */
    static const float real_map[] = {9, 8, 7, -6, 7};
    static const double limits[] = {0.25, 0.5, 0.75, 1.0};
    EadProAccumulator *pro = NULL;
    ck_assert_int_eq(ead_pro_new(&pro), EAD_OK);
    ck_assert_int_eq(add_masked(pro, real_map, real_mask, 5, 1, 1), EAD_OK);
    ead_pro_sort(pro);
    PixelMetrics metrics = measure(pro, 1, limits, 4);
    ASSERT_CLOSE(metrics.au_pro[0], 0.5);
    ASSERT_CLOSE(metrics.au_pro[1], 0.5);
    ASSERT_CLOSE(metrics.au_pro[2], (0.25 + 0.25 * (0.5 + 0.625) / 2) / 0.75);
    ASSERT_CLOSE(metrics.au_pro[3], 0.25 + 0.5 * (0.5 + 0.75) / 2);
    ASSERT_CLOSE(metrics.pixel_auroc, (2 + 0 + 0.5 + 0) / 6);
    ck_assert_int_eq(add_masked(pro, map, mask, 5, 1, 2), EAD_OK); /* another group changes nothing */
    ead_pro_sort(pro);
    ASSERT_CLOSE(measure(pro, 1, limits, 4).au_pro[2], metrics.au_pro[2]);
    ead_pro_free(pro);
}
END_TEST

START_TEST(all_scores_equal_make_a_diagonal) {
    static uint8_t mask[] = {1, 0, 0, 1};
    static const float map[] = {2, 2, 2, 2};
    static const double limits[] = {0.3, 1.0};
    EadProAccumulator *pro = NULL;
    ck_assert_int_eq(ead_pro_new(&pro), EAD_OK);
    ck_assert_int_eq(add_masked(pro, map, mask, 4, 1, 1), EAD_OK);
    ead_pro_sort(pro);
    PixelMetrics metrics = measure(pro, EAD_PRO_ALL, limits, 2);
    ASSERT_CLOSE(metrics.au_pro[0], 0.15);
    ASSERT_CLOSE(metrics.au_pro[1], 0.5);
    ASSERT_CLOSE(metrics.pixel_auroc, 0.5);
    ead_pro_free(pro);
}
END_TEST

START_TEST(broken_maps_are_refused_and_not_added) {
    static uint8_t mask[] = {1, 0};
    float map[] = {1, NAN};
    EadProAccumulator *pro = NULL;
    ck_assert_int_eq(ead_pro_new(&pro), EAD_OK);
    ck_assert_int_eq(add_masked(pro, map, mask, 2, 1, 1), EAD_BAD_ARGUMENT);
    map[1] = -INFINITY;
    ck_assert_int_eq(add_masked(pro, map, mask, 2, 1, 1), EAD_BAD_ARGUMENT);
    ck_assert_ptr_nonnull(strstr(ead_error_message(), "(1, 0)"));
    ck_assert_int_eq(add_masked(pro, map, mask, 0, 1, 1), EAD_BAD_SHAPE);
    double limit = 1;
    ead_pro_sort(pro);
    ck_assert(isnan(measure(pro, EAD_PRO_ALL, &limit, 1).au_pro[0]));
    map[1] = 0;
    ck_assert_int_eq(add_masked(pro, map, mask, 2, 1, 1), EAD_OK);
    ead_pro_sort(pro);
    ASSERT_CLOSE(measure(pro, EAD_PRO_ALL, &limit, 1).au_pro[0], 1);
    ead_pro_free(pro);
}
END_TEST

/* Area under a curve by trapezoids. */
static double area_of(const EadCurve *curve) {
    double area = 0;
    for (int64_t i = 1; i < curve->count; i++)
        area +=
            (curve->points[i].x - curve->points[i - 1].x) * (curve->points[i].y + curve->points[i - 1].y) / 2;
    return area;
}

/* The full curve integrates to the metric; the thinned one keeps its ends and stays within the step. */
START_TEST(pro_curve_matches_the_figure) {
    static MetricScene scene;
    uint64_t random = 5000;
    do make_scene(&scene, &random, 1, 0);
    while (scene.levels < 12 || scene.components[0] < 2);
    EadProAccumulator *pro = accumulate(&scene);
    double limit = 1;
    EadCurve full, thin;
    ck_assert_int_eq(ead_pro_curve(pro, EAD_PRO_ALL, EAD_CURVE_PRO, 0, &full), EAD_OK);
    ck_assert_int_eq(ead_pro_curve(pro, EAD_PRO_ALL, EAD_CURVE_PRO, 0.2, &thin), EAD_OK);
    ASSERT_CLOSE(area_of(&full), measure(pro, EAD_PRO_ALL, &limit, 1).au_pro[0]);
    ck_assert(thin.count < full.count && thin.count <= 2 * 12);
    ck_assert(isinf(thin.points[0].threshold) && thin.points[0].x == 0 && thin.points[0].y == 0);
    ASSERT_CLOSE(thin.points[thin.count - 1].x, 1);
    ASSERT_CLOSE(thin.points[thin.count - 1].y, 1);
    ead_curve_free(&full);
    ead_curve_free(&thin);
    ead_pro_free(pro);
}
END_TEST

/* Each point's threshold gives the point back, on every kind of curve. */
static void check_curve_points(const MetricScene *scene, const EadCurve *curve, EadPixelCurve kind) {
    for (int64_t i = 0; i < curve->count; i++) {
        EadCurvePoint p = curve->points[i];
        double all, hits, wrong;
        slow_counts(scene, EAD_PRO_ALL, p.threshold, &all, &hits, &wrong);
        double fpr = slow_fpr(scene, EAD_PRO_ALL, p.threshold);
        ASSERT_CLOSE(p.x, kind == EAD_CURVE_PR ? hits / all : fpr);
        if (kind == EAD_CURVE_PRO) ASSERT_CLOSE(p.y, slow_pro(scene, EAD_PRO_ALL, p.threshold));
        if (kind == EAD_CURVE_SPRO) ASSERT_CLOSE(p.y, slow_spro(scene, EAD_PRO_ALL, p.threshold));
        if (kind == EAD_CURVE_ROC) ASSERT_CLOSE(p.y, hits / all);
        if (kind == EAD_CURVE_PR) ASSERT_CLOSE(p.y, hits > 0 ? hits / (hits + wrong) : 1);
    }
}

START_TEST(pixel_curves_match_the_figures) {
    static MetricScene scene;
    uint64_t random = 6000;
    do make_scene(&scene, &random, -1, 1);
    while (scene.levels < 12 || scene.images < 4);
    EadProAccumulator *pro = accumulate(&scene);
    double limit = 1;
    PixelMetrics metrics = measure(pro, EAD_PRO_ALL, &limit, 1);
    const double areas[] = {metrics.au_pro[0], metrics.au_spro[0], metrics.pixel_auroc};
    for (int kind = EAD_CURVE_PRO; kind <= EAD_CURVE_PR; kind++) {
        EadCurve curve;
        ck_assert_int_eq(ead_pro_curve(pro, EAD_PRO_ALL, (EadPixelCurve)kind, 0, &curve), EAD_OK);
        ck_assert_int_gt(curve.count, 3);
        if (kind != EAD_CURVE_PR) ASSERT_CLOSE(area_of(&curve), areas[kind]);
        check_curve_points(&scene, &curve, (EadPixelCurve)kind);
        ead_curve_free(&curve);
    }
    ead_pro_free(pro);
}
END_TEST

/* As pimo_maps() in test/golden/measure/measure_golden.py: three good images, three with a defect. */
static void draw_pimo(int image, int width, int height, float *map, uint8_t *mask) {
    for (int k = 0; k < width * height; k++) {
        uint32_t bits = (uint32_t)(image * width * height + k) * 2654435761u + 12345u;
        bits = (bits ^ bits >> 15) * 2246822519u;
        uint32_t level = (bits ^ bits >> 13) >> 8, value = (1u << 28) / ((1u << 24) - level + 4096);
        int x = k % width, y = k / width;
        mask[k] = image >= 3 && y >= 50 && y < 90 && x >= 40 && x < 40 + 25 * image;
        if (mask[k] && level % 3 == 0) value = 65520 - (level % 65521 >> (image - 3));
        map[k] = (float)value;
    }
}

/* The sixth image is a kind of its own. */
static EadProAccumulator *accumulate_pimo(int width, int height) {
    EadProAccumulator *pro;
    float *map = malloc((size_t)(width * height) * sizeof *map);
    uint8_t *mask = malloc((size_t)(width * height));
    ck_assert_int_eq(ead_pro_new(&pro), EAD_OK);
    ck_assert(map && mask);
    for (int i = 0; i < 6; i++) {
        draw_pimo(i, width, height, map, mask);
        EadStatus status = i < 3 ? ead_pro_add(pro, map, width, height, NULL, NULL, EAD_PRO_GOOD)
                                 : add_masked(pro, map, mask, width, height, i < 5 ? 1 : 2);
        ck_assert_int_eq(status, EAD_OK);
    }
    free(map);
    free(mask);
    return pro;
}

static double measure_pimo(EadProAccumulator *pro, int group) {
    EadProAreas areas;
    EadMetricSet set = ead_metric_set_empty();
    ead_pro_sort(pro);
    ck_assert_int_eq(ead_pro_measure(pro, group, NULL, 0, &areas, &set), EAD_OK);
    return set.aupimo;
}

/* Bounds at whole numbers of good pixels; between two of them. */
START_TEST(aupimo_is_the_exact_integral) {
    static const int sizes[2][2] = {{400, 250}, {300, 200}};
    for (int s = 0; s < 2; s++) {
        EadProAccumulator *pro = accumulate_pimo(sizes[s][0], sizes[s][1]);
        ck_assert_double_eq_tol(measure_pimo(pro, EAD_PRO_ALL), golden_aupimo[s][0], 1e-6);
        ck_assert_double_eq_tol(measure_pimo(pro, 1), golden_aupimo[s][1], 1e-6);
        ck_assert_double_eq_tol(measure_pimo(pro, 2), golden_aupimo[s][2], 1e-6);
        ead_pro_free(pro);
    }
}
END_TEST

/* Both bounds, 1.8 and 18 of 180,000 good pixels, within one run of equal pixels, good ones and a defect. */
START_TEST(aupimo_cuts_a_run_of_equal_scores) {
    enum { SIDE = 600, PIXELS = 300 * SIDE };
    static float map[PIXELS];
    static uint8_t mask[PIXELS];
    EadProAccumulator *pro;
    ck_assert_int_eq(ead_pro_new(&pro), EAD_OK);
    map[0] = 3;
    for (int i = 1; i < 40; i++) map[i] = 2;
    ck_assert_int_eq(ead_pro_add(pro, map, SIDE, 300, NULL, NULL, EAD_PRO_GOOD), EAD_OK);
    mask[0] = mask[1] = 1;
    map[0] = 2, map[1] = 1;
    ck_assert_int_eq(add_masked(pro, map, mask, SIDE, 300, 1), EAD_OK);
    /* From (1, 0) to (40, 1/2), so half of log x / log 40 between x = 1.8 and 18. */
    ck_assert_double_eq_tol(measure_pimo(pro, EAD_PRO_ALL), 0.5 * 0.5 * log(1.8 * 18) / log(40), 1e-12);
    ead_pro_free(pro);
}
END_TEST

/* One of two defect pixels above all good ones, the other below: the curve comes to the bounds from 0 in one leap. */
START_TEST(aupimo_begins_left_of_its_bounds) {
    enum { SIDE = 600, PIXELS = 300 * SIDE };
    static float map[PIXELS];
    static uint8_t mask[PIXELS];
    EadProAccumulator *pro;
    ck_assert_int_eq(ead_pro_new(&pro), EAD_OK);
    for (int i = 0; i < 40; i++) map[i] = (float)(100 - i);
    ck_assert_int_eq(ead_pro_add(pro, map, SIDE, 300, NULL, NULL, EAD_PRO_GOOD), EAD_OK);
    mask[0] = mask[1] = 1;
    map[0] = 200, map[1] = 1;
    ck_assert_int_eq(add_masked(pro, map, mask, SIDE, 300, 1), EAD_OK);
    ck_assert_double_eq_tol(measure_pimo(pro, EAD_PRO_ALL), 0.5, 1e-12);
    ead_pro_free(pro);
}
END_TEST

/* Too few good pixels to tell rates of 1e-5 apart; good images of two sizes. */
START_TEST(aupimo_is_undefined) {
    EadProAccumulator *pro = accumulate_pimo(190, 150);
    ck_assert(isnan(measure_pimo(pro, EAD_PRO_ALL)));
    ead_pro_free(pro);
    pro = accumulate_pimo(300, 200);
    ck_assert_int_eq(ead_pro_add(pro, (float[2]){1, 2}, 2, 1, NULL, NULL, EAD_PRO_GOOD), EAD_OK);
    ead_pro_sort(pro);
    ck_assert(isnan(measure_pimo(pro, EAD_PRO_ALL)));
    ead_pro_free(pro);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("metrics");
    TCase *tests = tcase_create("metrics");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, spro_by_hand);
    tcase_add_test(tests, spro_agrees_with_its_definition);
    tcase_add_test(tests, spro_of_a_type_agrees_with_its_definition);
    tcase_add_test(tests, pixel_curves_match_the_figures);
    tcase_add_test(tests, pro_by_hand);
    tcase_add_test(tests, all_scores_equal_make_a_diagonal);
    tcase_add_test(tests, pro_agrees_with_golden_values);
    tcase_add_test(tests, pro_agrees_with_its_definition);
    tcase_add_test(tests, pixels_outside_are_in_no_figure);
    tcase_add_test(tests, aupimo_is_the_exact_integral);
    tcase_add_test(tests, aupimo_cuts_a_run_of_equal_scores);
    tcase_add_test(tests, aupimo_begins_left_of_its_bounds);
    tcase_add_test(tests, aupimo_is_undefined);
    tcase_add_test(tests, pro_curve_matches_the_figure);
    tcase_add_test(tests, broken_maps_are_refused_and_not_added);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
