/* Pixel metrics against golden values (numpy, scikit-learn, scikit-image), against hand-computed cases, and
 * against the slow, obvious transcription of their definitions below. */
#include "test/golden/metrics_golden.h"
#include "test/metrics_common.h"
#include "test/suite.h"
#include "train/components.h"
#include "train/metric_pro.h"
#include "train/pixel_sort.h"

#include <math.h>
#include <string.h>

/* Spreads label over the 8-connected component of pixel `seed` by repeated sweeps. */
static void slow_flood(const uint8_t *mask, int32_t *labels, int width, int height, int seed, int32_t label) {
    labels[seed] = label;
    for (int changed = 1; changed;) {
        changed = 0;
        for (int i = 0; i < width * height; i++) {
            if (!mask[i] || labels[i]) continue;
            for (int dy = -1; dy <= 1; dy++) {
                for (int dx = -1; dx <= 1; dx++) {
                    int x = i % width + dx, y = i / width + dy;
                    if (x < 0 || y < 0 || x >= width || y >= height || labels[y * width + x] != label)
                        continue;
                    labels[i] = label;
                    changed = 1;
                }
            }
        }
    }
}

static int32_t slow_components(const uint8_t *mask, int32_t *labels, int width, int height) {
    int32_t count = 0;
    memset(labels, 0, (size_t)(width * height) * sizeof *labels);
    for (int i = 0; i < width * height; i++)
        if (mask[i] && !labels[i]) slow_flood(mask, labels, width, height, i, ++count);
    return count;
}

enum { max_side = 24, max_images = 6, max_pixels = max_side * max_side };

typedef struct Scene { /* a test set of small images, scores on few levels so that ties abound */
    int width, height, images, levels;
    float map[max_images][max_pixels];
    uint8_t mask[max_images][max_pixels];
    int32_t labels[max_images][max_pixels];
    int32_t components[max_images];
    int group[max_images];
} Scene;

static int in_group(const Scene *scene, int image, int group) {
    return group == EAD_PRO_ALL || scene->group[image] == EAD_PRO_GOOD || scene->group[image] == group;
}

static double slow_fpr(const Scene *scene, int group, double threshold) {
    double normal = 0, called = 0;
    for (int k = 0; k < scene->images; k++) {
        for (int i = 0; i < scene->width * scene->height && in_group(scene, k, group); i++) {
            normal += !scene->mask[k][i];
            called += !scene->mask[k][i] && (double)scene->map[k][i] >= threshold;
        }
    }
    return normal > 0 ? called / normal : NAN;
}

static double slow_pro(const Scene *scene, int group, double threshold) {
    double sum = 0, count = 0;
    for (int k = 0; k < scene->images; k++) {
        for (int32_t label = 1; label <= scene->components[k] && in_group(scene, k, group); label++) {
            double area = 0, covered = 0;
            for (int i = 0; i < scene->width * scene->height; i++) {
                area += scene->labels[k][i] == label;
                covered += scene->labels[k][i] == label && (double)scene->map[k][i] >= threshold;
            }
            sum += covered / area;
            count += 1;
        }
    }
    return count > 0 ? sum / count : NAN;
}

static double level_score(int level) {
    return (level - 3) / 8.0;
}

static double slow_au_pro(const Scene *scene, int group, double limit) {
    double area = 0, x0 = 0, y0 = 0;
    for (int level = scene->levels - 1; level >= 0; level--) {
        double x1 = slow_fpr(scene, group, level_score(level)),
               y1 = slow_pro(scene, group, level_score(level));
        if (isnan(x1) || isnan(y1)) return NAN;
        double end = x1 < limit ? x1 : limit;
        double y_end = x1 > x0 ? y0 + (y1 - y0) * (end - x0) / (x1 - x0) : y1;
        if (end > x0) area += (end - x0) * (y0 + y_end) / 2;
        x0 = x1;
        y0 = y1;
    }
    return area / limit;
}

static double slow_pixel_auroc(const Scene *scene, int group) {
    static float scores[max_images * max_pixels];
    static uint8_t anomalous[max_images * max_pixels];
    int64_t count = 0, positives = 0;
    for (int k = 0; k < scene->images; k++) {
        for (int i = 0; i < scene->width * scene->height && in_group(scene, k, group); i++) {
            scores[count] = scene->map[k][i];
            positives += anomalous[count++] = scene->mask[k][i] != 0;
        }
    }
    return positives == 0 || positives == count ? NAN : slow_auroc(scores, anomalous, count);
}

/* ---- scenes ------------------------------------------------------------------------------------------ */

static void draw_rectangle(Scene *scene, int image, uint64_t *random) {
    int x0 = (int)random_below(random, (uint32_t)scene->width),
        y0 = (int)random_below(random, (uint32_t)scene->height);
    int x1 = x0 + 1 + (int)random_below(random, 6), y1 = y0 + 1 + (int)random_below(random, 6);
    for (int y = y0; y < y1 && y < scene->height; y++)
        for (int x = x0; x < x1 && x < scene->width; x++) scene->mask[image][y * scene->width + x] = 255;
}

/* Random sizes, levels and masks: rectangles (some none), sprinkled pixels with diagonal contacts. */
static void make_scene(Scene *scene, uint64_t *random, int only_group) {
    memset(scene, 0, sizeof *scene);
    scene->width = 1 + (int)random_below(random, max_side);
    scene->height = 1 + (int)random_below(random, max_side);
    scene->images = 1 + (int)random_below(random, max_images);
    scene->levels = 1 + (int)random_below(random, 12);
    for (int k = 0; k < scene->images; k++) {
        scene->group[k] = only_group >= 0 ? only_group : (int)random_below(random, 3);
        int anomalous = scene->group[k] != EAD_PRO_GOOD, sprinkle = random_below(random, 2) == 0;
        for (uint32_t i = anomalous ? random_below(random, 4) : 0; i > 0; i--)
            draw_rectangle(scene, k, random);
        for (int i = 0; i < scene->width * scene->height; i++) {
            if (anomalous && sprinkle && random_below(random, 4) == 0) scene->mask[k][i] = 1;
            scene->map[k][i] = (float)level_score((int)random_below(random, (uint32_t)scene->levels));
            if (scene->map[k][i] == 0 && random_below(random, 2)) scene->map[k][i] = -0.0f;
        }
        scene->components[k] = slow_components(scene->mask[k], scene->labels[k], scene->width, scene->height);
    }
}

static EadProAccumulator *accumulate(const Scene *scene) {
    EadProAccumulator *pro = NULL;
    ck_assert_int_eq(ead_pro_new(&pro), EAD_OK);
    for (int k = 0; k < scene->images; k++) {
        const uint8_t *mask = scene->group[k] == EAD_PRO_GOOD ? NULL : scene->mask[k];
        ck_assert_int_eq(ead_pro_add(pro, scene->map[k], mask, scene->width, scene->height, scene->group[k]),
                         EAD_OK);
    }
    ead_pro_sort(pro);
    return pro;
}

static void check_scene(const Scene *scene) {
    static const double limits[] = {0.01, 0.05, 0.3, 1.0};
    EadProAccumulator *pro = accumulate(scene);
    for (int group = EAD_PRO_ALL; group <= 3; group++) {
        EadProFigures figures = ead_pro_measure(pro, group, limits, 4);
        for (int i = 0; i < 4; i++) ASSERT_CLOSE(figures.au_pro[i], slow_au_pro(scene, group, limits[i]));
        double pixel_auroc = slow_pixel_auroc(scene, group);
        ASSERT_CLOSE(figures.pixel_auroc, pixel_auroc);
    }
    ead_pro_free(pro);
}

START_TEST(pro_agrees_with_its_definition) {
    static Scene scene;
    uint64_t random = 0;
    for (int round = 0; round < 60; round++) {
        int only = round < 50 ? -1 : round < 55 ? EAD_PRO_GOOD : 1;
        make_scene(&scene, &random, only);
        check_scene(&scene);
    }
}
END_TEST

START_TEST(components_agree_with_flooding) {
    static Scene scene;
    uint64_t random = 100000;
    for (int round = 0; round < 100; round++) {
        make_scene(&scene, &random, 1);
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

START_TEST(pro_agrees_with_golden_values) {
    static const int groups[3] = {EAD_PRO_ALL, 1, 2};
    enum { pixels = golden_width * golden_height };
    EadProAccumulator *pro = NULL;
    ck_assert_int_eq(ead_pro_new(&pro), EAD_OK);
    for (int k = 0; k < golden_images; k++) {
        float map[pixels];
        uint8_t mask[pixels];
        for (int i = 0; i < pixels; i++) {
            map[i] = (float)(golden_levels[k * pixels + i] - 'A') / 8;
            mask[i] = golden_masks[k * pixels + i] == '#';
        }
        ck_assert_int_eq(ead_pro_add(pro, map, mask, golden_width, golden_height, golden_groups[k]), EAD_OK);
    }
    ead_pro_sort(pro);
    for (int row = 0; row < 3; row++) {
        EadProFigures figures = ead_pro_measure(pro, groups[row], golden_limits, 3);
        for (int i = 0; i < 3; i++) ASSERT_CLOSE(figures.au_pro[i], golden_pixel_figures[row][i]);
        ASSERT_CLOSE(figures.pixel_auroc, golden_pixel_figures[row][3]);
    }
    ead_pro_free(pro);
}
END_TEST

/* Two defects of areas 1 and 2 among 5 pixels, good ones 2. Descending: defect A, good, defect B (1 of 2)
 * tied with good, rest of B. Points (0, 1/2), (1/2, 1/2), (1, 3/4), (1, 1). */
START_TEST(pro_by_hand) {
    static const float map[] = {9, 8, 7, 7, -6};
    static const uint8_t mask[] = {1, 0, 1, 0, 0};
    static const uint8_t real_mask[] = {1, 0, 1, 1, 0}; /* A, gap, B of two, good */
    static const float real_map[] = {9, 8, 7, -6, 7};
    static const double limits[] = {0.25, 0.5, 0.75, 1.0};
    EadProAccumulator *pro = NULL;
    ck_assert_int_eq(ead_pro_new(&pro), EAD_OK);
    ck_assert_int_eq(ead_pro_add(pro, real_map, real_mask, 5, 1, 1), EAD_OK);
    ead_pro_sort(pro);
    EadProFigures figures = ead_pro_measure(pro, 1, limits, 4);
    ASSERT_CLOSE(figures.au_pro[0], 0.5);
    ASSERT_CLOSE(figures.au_pro[1], 0.5);
    ASSERT_CLOSE(figures.au_pro[2], (0.25 + 0.25 * (0.5 + 0.625) / 2) / 0.75);
    ASSERT_CLOSE(figures.au_pro[3], 0.25 + 0.5 * (0.5 + 0.75) / 2);
    ASSERT_CLOSE(figures.pixel_auroc, (2 + 0 + 0.5 + 0) / 6);
    ck_assert_int_eq(ead_pro_add(pro, map, mask, 5, 1, 2), EAD_OK); /* another group changes nothing */
    ead_pro_sort(pro);
    ASSERT_CLOSE(ead_pro_measure(pro, 1, limits, 4).au_pro[2], figures.au_pro[2]);
    ead_pro_free(pro);
}
END_TEST

START_TEST(all_scores_equal_make_a_diagonal) {
    static const uint8_t mask[] = {1, 0, 0, 1};
    static const float map[] = {2, 2, 2, 2};
    static const double limits[] = {0.3, 1.0};
    EadProAccumulator *pro = NULL;
    ck_assert_int_eq(ead_pro_new(&pro), EAD_OK);
    ck_assert_int_eq(ead_pro_add(pro, map, mask, 4, 1, 1), EAD_OK);
    ead_pro_sort(pro);
    EadProFigures figures = ead_pro_measure(pro, EAD_PRO_ALL, limits, 2);
    ASSERT_CLOSE(figures.au_pro[0], 0.15);
    ASSERT_CLOSE(figures.au_pro[1], 0.5);
    ASSERT_CLOSE(figures.pixel_auroc, 0.5);
    ead_pro_free(pro);
}
END_TEST

START_TEST(broken_maps_are_refused_and_not_added) {
    static const uint8_t mask[] = {1, 0};
    float map[] = {1, NAN};
    EadProAccumulator *pro = NULL;
    ck_assert_int_eq(ead_pro_new(&pro), EAD_OK);
    ck_assert_int_eq(ead_pro_add(pro, map, mask, 2, 1, 1), EAD_BAD_ARGUMENT);
    map[1] = -INFINITY;
    ck_assert_int_eq(ead_pro_add(pro, map, mask, 2, 1, 1), EAD_BAD_ARGUMENT);
    ck_assert_ptr_nonnull(strstr(ead_error_message(), "(1, 0)"));
    ck_assert_int_eq(ead_pro_add(pro, map, mask, 0, 1, 1), EAD_BAD_SHAPE);
    double limit = 1;
    ead_pro_sort(pro);
    ck_assert(isnan(ead_pro_measure(pro, EAD_PRO_ALL, &limit, 1).au_pro[0]));
    map[1] = 0;
    ck_assert_int_eq(ead_pro_add(pro, map, mask, 2, 1, 1), EAD_OK);
    ead_pro_sort(pro);
    ASSERT_CLOSE(ead_pro_measure(pro, EAD_PRO_ALL, &limit, 1).au_pro[0], 1);
    ead_pro_free(pro);
}
END_TEST

/* The full curve integrates to the figure; the thinned one keeps its ends and stays within the step. */
START_TEST(pro_curve_matches_the_figure) {
    static Scene scene;
    uint64_t random = 5000;
    do make_scene(&scene, &random, 1);
    while (scene.levels < 12 || scene.components[0] < 2);
    EadProAccumulator *pro = accumulate(&scene);
    double limit = 1, area = 0;
    EadCurve full, thin;
    ck_assert_int_eq(ead_pro_curve(pro, EAD_PRO_ALL, 0, &full), EAD_OK);
    ck_assert_int_eq(ead_pro_curve(pro, EAD_PRO_ALL, 0.2, &thin), EAD_OK);
    for (int64_t i = 1; i < full.count; i++)
        area += (full.points[i].x - full.points[i - 1].x) * (full.points[i].y + full.points[i - 1].y) / 2;
    ASSERT_CLOSE(area, ead_pro_measure(pro, EAD_PRO_ALL, &limit, 1).au_pro[0]);
    ck_assert(thin.count < full.count && thin.count <= 12);
    ck_assert(isinf(thin.points[0].threshold) && thin.points[0].x == 0 && thin.points[0].y == 0);
    ASSERT_CLOSE(thin.points[thin.count - 1].x, 1);
    ASSERT_CLOSE(thin.points[thin.count - 1].y, 1);
    ead_curve_free(&full);
    ead_curve_free(&thin);
    ead_pro_free(pro);
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
    ead_pixel_sort(words, count);
    for (int64_t i = 0; i < count; i++) {
        sorted_sum += words[i];
        if (i > 0) ck_assert_uint_le(words[i - 1] >> 32, words[i] >> 32);
    }
    ck_assert_uint_eq(sum, sorted_sum);
    free(words);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("metrics");
    TCase *tests = tcase_create("metrics");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, components_agree_with_flooding);
    tcase_add_test(tests, components_of_long_shapes);
    tcase_add_test(tests, pixel_sort_sorts);
    tcase_add_test(tests, pro_by_hand);
    tcase_add_test(tests, all_scores_equal_make_a_diagonal);
    tcase_add_test(tests, pro_agrees_with_golden_values);
    tcase_add_test(tests, pro_agrees_with_its_definition);
    tcase_add_test(tests, pro_curve_matches_the_figure);
    tcase_add_test(tests, broken_maps_are_refused_and_not_added);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
