/* Small random test sets, and the metrics of their pixels by a slow, obvious transcription of the
 * definitions. */
#pragma once

#include "core/base/philox.h"
#include "test/support/suite.h"
#include "train/metrics/metric_pro.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#define METRIC_TOLERANCE 1e-9

#define ASSERT_CLOSE(a, b)                                                                                   \
    ck_assert_msg(close_to(a, b), "%s = %.15g, expected %.15g", #a, (double)(a), (double)(b))

static inline int close_to(double a, double b) {
    return (isnan(a) && isnan(b)) || fabs(a - b) <= METRIC_TOLERANCE;
}

static inline uint32_t random_below(uint64_t *counter, uint32_t end) {
    return ead_philox_word(11, EAD_STREAM_TEST, (*counter)++) % end;
}

/* Every pair of one anomalous and one good score. */
static inline double slow_auroc(const double *scores, const uint8_t *anomalous, int64_t count) {
    double right = 0, pairs = 0;
    for (int64_t i = 0; i < count; i++) {
        for (int64_t j = 0; j < count; j++) {
            if (!anomalous[i] || anomalous[j]) continue;
            pairs += 1;
            right += scores[i] > scores[j] ? 1 : scores[i] == scores[j] ? 0.5 : 0;
        }
    }
    return pairs > 0 ? right / pairs : NAN;
}

/* Spreads label over the 8-connected component of pixel `seed` by repeated sweeps. */
static inline void slow_flood(const uint8_t *mask, int32_t *labels, int width, int height, int seed,
                              int32_t label) {
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

static inline int32_t slow_components(const uint8_t *mask, int32_t *labels, int width, int height) {
    int32_t count = 0;
    memset(labels, 0, (size_t)(width * height) * sizeof *labels);
    for (int i = 0; i < width * height; i++)
        if (mask[i] && !labels[i]) slow_flood(mask, labels, width, height, i, ++count);
    return count;
}

enum { max_side = 24, max_images = 6, max_pixels = max_side * max_side, max_channels = 4 };

typedef struct MetricScene { /* a test set of small images, scores on few levels so that ties abound */
    int width, height, images, levels;
    float map[max_images][max_pixels];
    uint8_t mask[max_images][max_pixels];
    int32_t labels[max_images][max_pixels];
    int32_t components[max_images];
    int group[max_images];
    EadDefectChannel channels[max_images][max_channels]; /* of sPRO, overlapping; masks in channel_masks */
    uint8_t channel_masks[max_images][max_channels][max_pixels];
    int channel_count[max_images];
} MetricScene;

static inline EadGroundTruth scene_truth(const MetricScene *scene, int image) {
    return (EadGroundTruth){.mask = {scene->width, scene->height, 1, (uint8_t *)scene->mask[image]},
                            .channels = (EadDefectChannel *)scene->channels[image],
                            .channel_count = scene->channel_count[image]};
}

/* Beyond the groups: ONE_TYPE + t stands for the images with a channel of type t. */
enum { ONE_TYPE = 100 };

static inline int counts_for_type(const MetricScene *scene, int image, int channel, int group) {
    return group < ONE_TYPE || scene->channels[image][channel].type == group - ONE_TYPE;
}

static inline int in_group(const MetricScene *scene, int image, int group) {
    if (group == EAD_PRO_ALL || scene->group[image] == EAD_PRO_GOOD) return 1;
    if (group < ONE_TYPE) return scene->group[image] == group;
    for (int c = 0; c < scene->channel_count[image]; c++)
        if (counts_for_type(scene, image, c, group)) return 1;
    return 0;
}

static inline double slow_fpr(const MetricScene *scene, int group, double threshold) {
    double normal = 0, called = 0;
    for (int k = 0; k < scene->images; k++) {
        for (int i = 0; i < scene->width * scene->height && in_group(scene, k, group); i++) {
            normal += !scene->mask[k][i];
            called += !scene->mask[k][i] && (double)scene->map[k][i] >= threshold;
        }
    }
    return normal > 0 ? called / normal : NAN;
}

static inline double slow_pro(const MetricScene *scene, int group, double threshold) {
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

static inline double level_score(int level) {
    return (level - 3) / 8.0;
}

static inline double slow_spro(const MetricScene *scene, int group, double threshold) {
    double sum = 0, count = 0;
    for (int k = 0; k < scene->images; k++) {
        for (int c = 0; c < scene->channel_count[k] && in_group(scene, k, group); c++) {
            if (!counts_for_type(scene, k, c, group)) continue;
            double covered = 0;
            for (int i = 0; i < scene->width * scene->height; i++)
                covered += scene->channels[k][c].mask[i] && (double)scene->map[k][i] >= threshold;
            sum += fmin(covered / (double)scene->channels[k][c].saturation, 1);
            count += 1;
        }
    }
    return count > 0 ? sum / count : NAN;
}

typedef double SlowHeight(const MetricScene *scene, int group, double threshold);

static inline double slow_area(SlowHeight *height, const MetricScene *scene, int group, double limit) {
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
static inline void slow_counts(const MetricScene *scene, int group, double threshold, double *all,
                               double *hits, double *wrong) {
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

/* The metrics at every level: average precision and best F1; NAN like the others. */
static inline void slow_precision(const MetricScene *scene, int group, double *ap, double *f1) {
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

static inline double slow_pixel_auroc(const MetricScene *scene, int group) {
    static double scores[max_images * max_pixels];
    static uint8_t anomalous[max_images * max_pixels];
    int64_t count = 0, positives = 0;
    for (int k = 0; k < scene->images; k++) {
        for (int i = 0; i < scene->width * scene->height && in_group(scene, k, group); i++) {
            scores[count] = (double)scene->map[k][i];
            positives += anomalous[count++] = scene->mask[k][i] != 0;
        }
    }
    return positives == 0 || positives == count ? NAN : slow_auroc(scores, anomalous, count);
}

/* ---- scenes ------------------------------------------------------------------------------------------ */

static inline void draw_rectangle(MetricScene *scene, int image, uint64_t *random) {
    int x0 = (int)random_below(random, (uint32_t)scene->width),
        y0 = (int)random_below(random, (uint32_t)scene->height);
    int x1 = x0 + 1 + (int)random_below(random, 6), y1 = y0 + 1 + (int)random_below(random, 6);
    for (int y = y0; y < y1 && y < scene->height; y++)
        for (int x = x0; x < x1 && x < scene->width; x++) scene->mask[image][y * scene->width + x] = 255;
}

/* Channels of a rectangle and a few sprinkled pixels each; the mask becomes their union. */
static inline void draw_channels(MetricScene *scene, int image, uint64_t *random) {
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
        scene->channels[image][c] = (EadDefectChannel){.mask = scene->channel_masks[image][c],
                                                       .saturation = 1 + random_below(random, area),
                                                       .type = (int)random_below(random, 3)};
    }
    memcpy(mask, all, (size_t)pixels);
}

/* Random sizes, levels and masks: rectangles (some none), sprinkled pixels with diagonal contacts. */
static inline void make_scene(MetricScene *scene, uint64_t *random, int only_group, int channels) {
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

typedef struct PixelMetrics {
    double au_pro[EAD_PRO_MAX_LIMITS], au_spro[EAD_PRO_MAX_LIMITS];
    double pixel_auroc, pixel_ap, pixel_f1_best, pixel_f1_threshold;
} PixelMetrics;

static inline PixelMetrics measure(const EadProAccumulator *pro, int group, const double *limits,
                                   int limit_count) {
    EadProAreas areas;
    EadMetricSet set = ead_metric_set_empty();
    ck_assert_int_eq(ead_pro_measure(pro, group, limits, limit_count, &areas, &set), EAD_OK);
    PixelMetrics metrics = {.pixel_auroc = set.pixel_auroc,
                            .pixel_ap = set.pixel_ap,
                            .pixel_f1_best = set.pixel_f1_best,
                            .pixel_f1_threshold = set.pixel_f1_threshold};
    memcpy(metrics.au_pro, areas.au_pro, sizeof areas.au_pro);
    memcpy(metrics.au_spro, areas.au_spro, sizeof areas.au_spro);
    return metrics;
}

static inline EadProAccumulator *collect(const MetricScene *scene) {
    EadProAccumulator *pro = NULL;
    ck_assert_int_eq(ead_pro_new(&pro), EAD_OK);
    for (int k = 0; k < scene->images; k++) {
        EadGroundTruth truth = scene_truth(scene, k);
        const EadGroundTruth *given = scene->group[k] == EAD_PRO_GOOD ? NULL : &truth;
        ck_assert_int_eq(
            ead_pro_add(pro, scene->map[k], scene->width, scene->height, given, NULL, scene->group[k]),
            EAD_OK);
    }
    return pro;
}

static inline EadProAccumulator *accumulate(const MetricScene *scene) {
    EadProAccumulator *pro = collect(scene);
    ead_pro_sort(pro);
    return pro;
}
