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

enum { max_side = 24, max_images = 6, max_pixels = max_side * max_side, max_channels = 4 };

typedef struct Scene { /* a test set of small images, scores on few levels so that ties abound */
    int width, height, images, levels;
    float map[max_images][max_pixels];
    uint8_t mask[max_images][max_pixels];
    int32_t labels[max_images][max_pixels];
    int32_t components[max_images];
    int group[max_images];
    EadDefectChannel channels[max_images][max_channels]; /* of sPRO, overlapping; masks in channel_masks */
    uint8_t channel_masks[max_images][max_channels][max_pixels];
    int channel_count[max_images];
} Scene;

static EadGroundTruth scene_truth(const Scene *scene, int image) {
    return (EadGroundTruth){.mask = {scene->width, scene->height, 1, (uint8_t *)scene->mask[image]},
                            .channels = (EadDefectChannel *)scene->channels[image],
                            .channel_count = scene->channel_count[image]};
}

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

static double slow_spro(const Scene *scene, int group, double threshold) {
    double sum = 0, count = 0;
    for (int k = 0; k < scene->images; k++) {
        for (int c = 0; c < scene->channel_count[k] && in_group(scene, k, group); c++) {
            double covered = 0;
            for (int i = 0; i < scene->width * scene->height; i++)
                covered += scene->channels[k][c].mask[i] && (double)scene->map[k][i] >= threshold;
            sum += fmin(covered / (double)scene->channels[k][c].saturation, 1);
            count += 1;
        }
    }
    return count > 0 ? sum / count : NAN;
}

typedef double SlowHeight(const Scene *scene, int group, double threshold);

static double slow_area(SlowHeight *height, const Scene *scene, int group, double limit) {
    double area = 0, x0 = 0, y0 = 0;
    for (int level = scene->levels - 1; level >= 0; level--) {
        double x1 = slow_fpr(scene, group, level_score(level)), y1 = height(scene, group, level_score(level));
        if (isnan(x1) || isnan(y1)) return NAN;
        double end = x1 < limit ? x1 : limit;
        double y_end = x1 > x0 ? y0 + (y1 - y0) * (end - x0) / (x1 - x0) : y1;
        if (end > x0) area += (end - x0) * (y0 + y_end) / 2;
        x0 = x1;
        y0 = y1;
    }
    return area / limit;
}

/* Defect pixels in all, and at or above a threshold; the same of the others. */
static void slow_counts(const Scene *scene, int group, double threshold, double *all, double *hits,
                        double *wrong) {
    *all = *hits = *wrong = 0;
    for (int k = 0; k < scene->images; k++) {
        for (int i = 0; i < scene->width * scene->height && in_group(scene, k, group); i++) {
            int called = (double)scene->map[k][i] >= threshold, defect = scene->mask[k][i] != 0;
            *all += defect;
            *hits += called && defect;
            *wrong += called && !defect;
        }
    }
}

/* The figures at every level: average precision and best F1; NAN like the others. */
static void slow_precision(const Scene *scene, int group, double *ap, double *f1) {
    double all, hits, wrong, recall = 0;
    *ap = *f1 = 0;
    for (int level = scene->levels - 1; level >= 0; level--) {
        slow_counts(scene, group, level_score(level), &all, &hits, &wrong);
        if (hits > 0) *ap += (hits / all - recall) * hits / (hits + wrong);
        *f1 = fmax(*f1, 2 * hits / (hits + wrong + all));
        recall = hits / all;
    }
    if (isnan(slow_area(slow_pro, scene, group, 1))) *ap = *f1 = NAN;
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

/* Channels of a rectangle and a few sprinkled pixels each; the mask becomes their union. */
static void draw_channels(Scene *scene, int image, uint64_t *random) {
    uint8_t *mask = scene->mask[image];
    int pixels = scene->width * scene->height;
    scene->channel_count[image] = 1 + (int)random_below(random, max_channels);
    uint8_t all[max_pixels] = {0};
    for (int c = 0; c < scene->channel_count[image]; c++) {
        memset(mask, 0, (size_t)pixels);
        draw_rectangle(scene, image, random);
        for (int i = 0; i < pixels; i++)
            if (random_below(random, 20) == 0) mask[i] = 255;
        uint32_t area = 0;
        for (int i = 0; i < pixels; i++) area += mask[i] != 0;
        for (int i = 0; i < pixels; i++) all[i] |= mask[i];
        memcpy(scene->channel_masks[image][c], mask, (size_t)pixels);
        scene->channels[image][c] =
            (EadDefectChannel){scene->channel_masks[image][c], 1 + random_below(random, area)};
    }
    memcpy(mask, all, (size_t)pixels);
}

/* Random sizes, levels and masks: rectangles (some none), sprinkled pixels with diagonal contacts. */
static void make_scene(Scene *scene, uint64_t *random, int only_group, int channels) {
    memset(scene, 0, sizeof *scene);
    scene->width = 1 + (int)random_below(random, max_side);
    scene->height = 1 + (int)random_below(random, max_side);
    scene->images = 1 + (int)random_below(random, max_images);
    scene->levels = 1 + (int)random_below(random, 12);
    for (int k = 0; k < scene->images; k++) {
        scene->group[k] = only_group >= 0 ? only_group : (int)random_below(random, 3);
        int anomalous = scene->group[k] != EAD_PRO_GOOD, sprinkle = random_below(random, 2) == 0;
        for (uint32_t i = anomalous && !channels ? random_below(random, 4) : 0; i > 0; i--)
            draw_rectangle(scene, k, random);
        if (anomalous && channels) draw_channels(scene, k, random);
        for (int i = 0; i < scene->width * scene->height; i++) {
            if (anomalous && sprinkle && !channels && random_below(random, 4) == 0) scene->mask[k][i] = 1;
            scene->map[k][i] = (float)level_score((int)random_below(random, (uint32_t)scene->levels));
            if (scene->map[k][i] == 0 && random_below(random, 2)) scene->map[k][i] = -0.0f;
        }
        scene->components[k] = slow_components(scene->mask[k], scene->labels[k], scene->width, scene->height);
    }
}

/* The mask of one image alone, on borrowed pixels. */
static EadStatus add_masked(EadProAccumulator *pro, const float *map, uint8_t *mask, int width, int height,
                            int group) {
    EadGroundTruth truth = {.mask = {width, height, 1, mask}};
    return ead_pro_add(pro, map, width, height, &truth, group);
}

static EadProFigures measure(const EadProAccumulator *pro, int group, const double *limits, int limit_count) {
    EadProFigures figures;
    ck_assert_int_eq(ead_pro_measure(pro, group, limits, limit_count, &figures), EAD_OK);
    return figures;
}

static EadProAccumulator *accumulate(const Scene *scene) {
    EadProAccumulator *pro = NULL;
    ck_assert_int_eq(ead_pro_new(&pro), EAD_OK);
    for (int k = 0; k < scene->images; k++) {
        EadGroundTruth truth = scene_truth(scene, k);
        const EadGroundTruth *given = scene->group[k] == EAD_PRO_GOOD ? NULL : &truth;
        ck_assert_int_eq(ead_pro_add(pro, scene->map[k], scene->width, scene->height, given, scene->group[k]),
                         EAD_OK);
    }
    ead_pro_sort(pro);
    return pro;
}

static void check_scene(const Scene *scene) {
    static const double limits[] = {0.01, 0.05, 0.3, 1.0};
    EadProAccumulator *pro = accumulate(scene);
    for (int group = EAD_PRO_ALL; group <= 3; group++) {
        EadProFigures figures = measure(pro, group, limits, 4);
        for (int i = 0; i < 4; i++) {
            ASSERT_CLOSE(figures.au_pro[i], slow_area(slow_pro, scene, group, limits[i]));
            ASSERT_CLOSE(figures.au_spro[i], slow_area(slow_spro, scene, group, limits[i]));
        }
        double ap, f1, pixel_auroc = slow_pixel_auroc(scene, group);
        slow_precision(scene, group, &ap, &f1);
        ASSERT_CLOSE(figures.pixel_auroc, pixel_auroc);
        ASSERT_CLOSE(figures.pixel_ap, ap);
        ASSERT_CLOSE(figures.pixel_f1_best, f1);
    }
    ead_pro_free(pro);
}

START_TEST(pro_agrees_with_its_definition) {
    static Scene scene;
    uint64_t random = 0;
    for (int round = 0; round < 60; round++) {
        int only = round < 50 ? -1 : round < 55 ? EAD_PRO_GOOD : 1;
        make_scene(&scene, &random, only, 0);
        check_scene(&scene);
    }
}
END_TEST

START_TEST(spro_agrees_with_its_definition) {
    static Scene scene;
    uint64_t random = 50000;
    for (int round = 0; round < 60; round++) {
        make_scene(&scene, &random, round < 50 ? -1 : 1, 1);
        check_scene(&scene);
    }
}
END_TEST

/* Seven pixels in a row: channel A covers 0..3 and is found with 2, B covers 2..4 and is found with 3. Scores
 * fall from left to right, but the good pixels 5 and 6 come second and fifth: pixel 0, good 5, pixels 1 2,
 * good 6, pixels 3 4 FPR  0     1/2    1/2 1/2    1      1  1 A    1/2   1/2     1   1     1      1  1 B    0
 * 0       0  1/3   1/3   2/3  1      sPRO is the mean of both. */
START_TEST(spro_by_hand) {
    static const float map[] = {9, 7, 6, 4, 3, 8, 5};
    static uint8_t mask[] = {1, 1, 1, 1, 1, 0, 0}, a[] = {1, 1, 1, 1, 0, 0, 0}, b[] = {0, 0, 1, 1, 1, 0, 0};
    static const double limits[] = {0.5, 0.75, 1.0};
    EadDefectChannel channels[] = {{a, 2}, {b, 3}};
    EadGroundTruth truth = {.mask = {7, 1, 1, mask}, .channels = channels, .channel_count = 2};
    EadProAccumulator *pro = NULL;
    ck_assert_int_eq(ead_pro_new(&pro), EAD_OK);
    ck_assert_int_eq(ead_pro_add(pro, map, 7, 1, &truth, 1), EAD_OK);
    ead_pro_sort(pro);
    EadProFigures figures = measure(pro, EAD_PRO_ALL, limits, 3);
    ASSERT_CLOSE(figures.au_spro[0], 1.0 / 4);
    ASSERT_CLOSE(figures.au_spro[1], (0.5 / 4 + 0.25 * 2 / 3) / 0.75);
    ASSERT_CLOSE(figures.au_spro[2], 0.5 / 4 + 0.5 * 2 / 3);
    ASSERT_CLOSE(figures.au_pro[2], 0.5 * 1 / 5 + 0.5 * 3 / 5);
    ASSERT_CLOSE(figures.pixel_ap, (1 + 2.0 / 3 + 3.0 / 4 + 4.0 / 6 + 5.0 / 7) / 5);
    ASSERT_CLOSE(figures.pixel_f1_best, 10.0 / 12);
    ck_assert(figures.pixel_f1_threshold == 3);
    ead_pro_free(pro);
}
END_TEST

START_TEST(components_agree_with_flooding) {
    static Scene scene;
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
        channels[count] = (EadDefectChannel){masks[count], golden_channels[c][1]};
        count++;
    }
    return count;
}

static void check_golden(int with_channels, const double rows[3][8]) {
    static const int groups[3] = {EAD_PRO_ALL, 1, 2};
    static uint8_t channel_masks[golden_channel_count][golden_pixels];
    EadProAccumulator *pro = NULL;
    ck_assert_int_eq(ead_pro_new(&pro), EAD_OK);
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
        ck_assert_int_eq(ead_pro_add(pro, map, golden_width, golden_height, &truth, golden_groups[k]),
                         EAD_OK);
    }
    ead_pro_sort(pro);
    for (int row = 0; row < 3; row++) {
        EadProFigures figures = measure(pro, groups[row], golden_limits, 3);
        for (int i = 0; i < 3; i++) ASSERT_CLOSE(figures.au_pro[i], rows[row][i]);
        for (int i = 0; i < 3; i++) ASSERT_CLOSE(figures.au_spro[i], rows[row][3 + i]);
        ASSERT_CLOSE(figures.pixel_auroc, rows[row][6]);
        ASSERT_CLOSE(figures.pixel_ap, rows[row][7]);
    }
    ead_pro_free(pro);
}

START_TEST(pro_agrees_with_golden_values) {
    check_golden(0, golden_pixel_figures);
    check_golden(1, golden_pixel_figures + 3);
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
    EadProFigures figures = measure(pro, 1, limits, 4);
    ASSERT_CLOSE(figures.au_pro[0], 0.5);
    ASSERT_CLOSE(figures.au_pro[1], 0.5);
    ASSERT_CLOSE(figures.au_pro[2], (0.25 + 0.25 * (0.5 + 0.625) / 2) / 0.75);
    ASSERT_CLOSE(figures.au_pro[3], 0.25 + 0.5 * (0.5 + 0.75) / 2);
    ASSERT_CLOSE(figures.pixel_auroc, (2 + 0 + 0.5 + 0) / 6);
    ck_assert_int_eq(add_masked(pro, map, mask, 5, 1, 2), EAD_OK); /* another group changes nothing */
    ead_pro_sort(pro);
    ASSERT_CLOSE(measure(pro, 1, limits, 4).au_pro[2], figures.au_pro[2]);
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
    EadProFigures figures = measure(pro, EAD_PRO_ALL, limits, 2);
    ASSERT_CLOSE(figures.au_pro[0], 0.15);
    ASSERT_CLOSE(figures.au_pro[1], 0.5);
    ASSERT_CLOSE(figures.pixel_auroc, 0.5);
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

/* The full curve integrates to the figure; the thinned one keeps its ends and stays within the step. */
START_TEST(pro_curve_matches_the_figure) {
    static Scene scene;
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
static void check_curve_points(const Scene *scene, const EadCurve *curve, EadPixelCurve kind) {
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
    static Scene scene;
    uint64_t random = 6000;
    do make_scene(&scene, &random, -1, 1);
    while (scene.levels < 12 || scene.images < 4);
    EadProAccumulator *pro = accumulate(&scene);
    double limit = 1;
    EadProFigures figures = measure(pro, EAD_PRO_ALL, &limit, 1);
    const double areas[] = {figures.au_pro[0], figures.au_spro[0], figures.pixel_auroc};
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
    Suite *suite = suite_create("metrics");
    TCase *tests = tcase_create("metrics");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, components_agree_with_flooding);
    tcase_add_test(tests, components_of_long_shapes);
    tcase_add_test(tests, pixel_sort_sorts);
    tcase_add_test(tests, pixel_sort_sorts_keys);
    tcase_add_test(tests, spro_by_hand);
    tcase_add_test(tests, spro_agrees_with_its_definition);
    tcase_add_test(tests, pixel_curves_match_the_figures);
    tcase_add_test(tests, pro_by_hand);
    tcase_add_test(tests, all_scores_equal_make_a_diagonal);
    tcase_add_test(tests, pro_agrees_with_golden_values);
    tcase_add_test(tests, pro_agrees_with_its_definition);
    tcase_add_test(tests, pro_curve_matches_the_figure);
    tcase_add_test(tests, broken_maps_are_refused_and_not_added);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
