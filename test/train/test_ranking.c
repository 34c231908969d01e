/* Image metrics and the evaluation that gathers all of them: golden values (scikit-learn), hand-computed
 * cases, the definitions transcribed. */
#include "test/golden/ranking_golden.h"
#include "test/train/metric_scenes.h"
#include "test/support/suite.h"
#include "train/metrics/metrics_output.h"
#include "train/metrics/metric_ranking.h"

#include <math.h>
#include <string.h>

static double slow_best_f1(const double *scores, const uint8_t *anomalous, int64_t count) {
    double best = NAN;
    for (int64_t t = 0; t < count; t++) {
        double hits = 0, called = 0, positives = 0;
        for (int64_t i = 0; i < count; i++) {
            hits += scores[i] >= scores[t] && anomalous[i];
            called += scores[i] >= scores[t];
            positives += anomalous[i];
        }
        if (positives > 0 && !(2 * hits / (called + positives) <= best))
            best = 2 * hits / (called + positives);
    }
    return best;
}

static EadMetricSet rank(const double *scores, const uint8_t *anomalous, int64_t count) {
    EadMetricSet set = ead_metric_set_empty();
    ck_assert_int_eq(ead_rank(scores, anomalous, count, &set, NULL, NULL), EAD_OK);
    return set;
}

/* ---- rankings ---------------------------------------------------------------------------------------- */

START_TEST(ranking_agrees_with_golden_values) {
    enum { count = sizeof golden_scores - 1 };
    double scores[count];
    uint8_t anomalous[count];
    for (int i = 0; i < count; i++) {
        scores[i] = (double)(golden_scores[i] - 'A') / 4;
        anomalous[i] = golden_labels[i] == '#';
    }
    EadMetricSet set = rank(scores, anomalous, count);
    ASSERT_CLOSE(set.image_auroc, golden_auroc);
    ASSERT_CLOSE(set.image_f1_best, golden_best_f1);
    ASSERT_CLOSE(set.image_ap, golden_ap);
    EadConfusion at_best = ead_confusion_at(scores, anomalous, count, set.image_f1_threshold);
    ASSERT_CLOSE(ead_confusion_f1(at_best), set.image_f1_best);
}
END_TEST

/* Recall gained times precision, at every distinct score. */
static double slow_ap(const double *scores, const uint8_t *anomalous, int64_t count) {
    double sum = 0, positives = 0;
    for (int64_t i = 0; i < count; i++) positives += anomalous[i];
    for (int64_t i = 0; i < count; i++) {
        double hits = 0, called = 0;
        for (int64_t j = 0; j < count; j++) {
            called += scores[j] >= scores[i];
            hits += scores[j] >= scores[i] && anomalous[j];
        }
        if (anomalous[i]) sum += hits / called / positives;
    }
    return positives > 0 ? sum : NAN;
}

START_TEST(ranking_agrees_with_its_definition) {
    uint64_t random = 900000;
    for (int round = 0; round < 200; round++) {
        double scores[40];
        uint8_t anomalous[40];
        int count = (int)random_below(&random, 41);
        uint32_t levels = 1 + random_below(&random, 30);
        for (int i = 0; i < count; i++) {
            scores[i] = (double)random_below(&random, levels) - 7;
            anomalous[i] = (uint8_t)random_below(&random, round % 10 == 0 ? 1 : 2);
        }
        EadMetricSet set = ead_metric_set_empty();
        EadCurve roc = {0}, pr = {0};
        double roc_area = 0, pr_area = 0;
        ck_assert_int_eq(ead_rank(scores, anomalous, count, &set, &roc, &pr), EAD_OK);
        ASSERT_CLOSE(set.image_auroc, slow_auroc(scores, anomalous, count));
        ASSERT_CLOSE(set.image_f1_best, slow_best_f1(scores, anomalous, count));
        ASSERT_CLOSE(set.image_ap, slow_ap(scores, anomalous, count));
        for (int i = 1; i < roc.count; i++)
            roc_area += (roc.points[i].x - roc.points[i - 1].x) * (roc.points[i].y + roc.points[i - 1].y) / 2;
        for (int i = 1; i < pr.count; i++) pr_area += (pr.points[i].x - pr.points[i - 1].x) * pr.points[i].y;
        ASSERT_CLOSE(roc.count > 0 ? roc_area : (double)NAN, set.image_auroc);
        ASSERT_CLOSE(pr.count > 0 ? pr_area : (double)NAN, set.image_ap);
        ead_curve_free(&roc);
        ead_curve_free(&pr);
    }
}
END_TEST

START_TEST(ranking_by_hand) {
    static const double scores[] = {4, 3, 3, 1};
    static const uint8_t anomalous[] = {1, 0, 1, 0};
    EadMetricSet set = rank(scores, anomalous, 4);
    ASSERT_CLOSE(set.image_auroc, 3.5 / 4);
    ASSERT_CLOSE(set.image_ap, 0.5 * 1 + 0.5 * 2 / 3); /* the tie counts as one step */
    ASSERT_CLOSE(set.image_f1_best, 0.8);
    ASSERT_CLOSE(set.image_f1_threshold, 3);
    EadConfusion c = ead_confusion_at(scores, anomalous, 4, 3.5);
    ck_assert(c.true_positives == 1 && c.false_negatives == 1 && c.true_negatives == 2 &&
              c.false_positives == 0);
    double broken[] = {1, (double)NAN};
    ck_assert_int_eq(ead_rank(broken, anomalous, 2, &set, NULL, NULL), EAD_BAD_ARGUMENT);
    set = rank(scores, anomalous + 2, 1);
    ck_assert(isnan(set.image_auroc) && set.image_ap == 1);
    set = rank(scores, anomalous + 1, 1);
    ck_assert(isnan(set.image_auroc) && isnan(set.image_ap) && isnan(set.image_f1_best));
}
END_TEST

/* ---- evaluation -------------------------------------------------------------------------------------- */

static void add(EadEvaluation *e, const char *defect, float score, const float *map, uint8_t *mask) {
    int anomalous = strcmp(defect, "good") != 0;
    EadGroundTruth truth = {.mask = {3, 1, 1, mask}};
    ck_assert_int_eq(
        ead_evaluation_add(e, "x.png", defect, anomalous, score, map, 3, 1, mask ? &truth : NULL, NULL),
        EAD_OK);
}

START_TEST(evaluation_reports_each_defect) {
    static const float map_a[] = {3, 1, 0}, map_b[] = {0, 1, 2}, map_good[] = {1, 0, 0};
    static uint8_t mask_a[] = {1, 0, 0}, mask_b[] = {1, 0, 0};
    EadEvaluation *e = NULL;
    ck_assert_int_eq(ead_evaluation_new(&e), EAD_OK);
    add(e, "scratch", 3, map_a, mask_a);
    add(e, "good", 2.5f, map_good, NULL);
    add(e, "chip", 2, map_b, mask_b);
    ead_evaluation_set_threshold(e, &(EadThreshold){.value = 2.75f});
    EadMetrics metrics;
    ck_assert_int_eq(ead_evaluation_finish(e, &metrics), EAD_OK);
    ck_assert_int_eq(metrics.defect_count, 2);
    ck_assert_str_eq(metrics.defects[0].name, "chip");
    ck_assert_str_eq(metrics.defects[1].name, "scratch");
    ASSERT_CLOSE(metrics.total.image_auroc, 0.5);
    ASSERT_CLOSE(metrics.defects[0].set.image_auroc, 0);
    ASSERT_CLOSE(metrics.defects[1].set.image_auroc, 1);
    ASSERT_CLOSE(metrics.defects[1].set.au_pro_30, 1);
    ASSERT_CLOSE(metrics.defects[1].set.pixel_auroc, 1);
    ASSERT_CLOSE(metrics.defects[0].set.au_pro_05, 0);
    ASSERT_CLOSE(metrics.defects[0].set.pixel_auroc, 0.5 * 2 / 5);
    ASSERT_CLOSE(metrics.total.image_f1_best, 0.8);
    ck_assert_int_eq(metrics.total.images, 3);
    ck_assert_int_eq(metrics.defects[0].set.images, 1);
    ck_assert(metrics.has_threshold && metrics.threshold.value == 2.75f);
    ck_assert_int_gt(metrics.roc.count, 2);
    ck_assert_int_gt(metrics.pro.count, 2);
    ead_metrics_free(&metrics);
    ead_evaluation_free(e);
}
END_TEST

/* A mask that marks nothing: the image is anomalous, its pixels are good ones, and it adds no region. */
START_TEST(empty_masks_add_no_region) {
    static const float map_a[] = {1.5f, 1, 0}, map_empty[] = {2, 0.5f, 0}, map_good[] = {1, 0, 0};
    static uint8_t mask_a[] = {1, 0, 0}, mask_empty[] = {0, 0, 0};
    EadEvaluation *e = NULL;
    EadMetrics metrics;
    ck_assert_int_eq(ead_evaluation_new(&e), EAD_OK);
    add(e, "scratch", 1.5f, map_a, mask_a);
    add(e, "good", 1, map_good, NULL);
    add(e, "chip", 2, map_empty, mask_empty);
    ck_assert_int_eq(ead_evaluation_finish(e, &metrics), EAD_OK);
    ck_assert(metrics.total.images == 3 && metrics.total.has_pixels);
    ASSERT_CLOSE(metrics.total.image_auroc, 1);
    ASSERT_CLOSE(metrics.total.pixel_auroc, 7.0 / 8); /* 2 of the empty one is above 1.5 */
    ASSERT_CLOSE(metrics.total.pixel_ap, 1.0 / 2);
    ASSERT_CLOSE(metrics.defects[0].set.image_auroc, 1);
    ck_assert(isnan(metrics.defects[0].set.pixel_auroc) && isnan(metrics.defects[0].set.au_pro_30));
    ASSERT_CLOSE(metrics.defects[1].set.pixel_auroc, 1);
    ead_metrics_free(&metrics);
    ead_evaluation_free(e);
}
END_TEST

/* Two kinds as in MVTec LOCO, each with a channel that is found with one of its two pixels. */
START_TEST(loco_has_a_mean_of_its_two_kinds) {
    static const float map_a[] = {3, 1, 0}, map_b[] = {0, 1, 2}, map_good[] = {1, 0, 0};
    static uint8_t mask_a[] = {1, 1, 0}, mask_b[] = {1, 1, 0};
    EadDefectChannel a = {.mask = mask_a, .saturation = 1}, b = {.mask = mask_b, .saturation = 1};
    EadGroundTruth truth_a = {.mask = {3, 1, 1, mask_a}, .channels = &a, .channel_count = 1};
    EadGroundTruth truth_b = {.mask = {3, 1, 1, mask_b}, .channels = &b, .channel_count = 1};
    EadEvaluation *e = NULL;
    EadMetrics metrics;
    ck_assert_int_eq(ead_evaluation_new(&e), EAD_OK);
    add(e, "good", 2.5f, map_good, NULL);
    ck_assert_int_eq(ead_evaluation_add(e, "a", "structural_anomalies", 1, 3, map_a, 3, 1, &truth_a, NULL),
                     EAD_OK);
    ck_assert_int_eq(ead_evaluation_finish(e, &metrics), EAD_OK);
    ck_assert(!metrics.has_mean && metrics.total.has_spro && metrics.spro.count > 1);
    ead_metrics_free(&metrics);
    ck_assert_int_eq(ead_evaluation_add(e, "b", "logical_anomalies", 1, 2, map_b, 3, 1, &truth_b, NULL),
                     EAD_OK);
    ead_evaluation_set_threshold(e, &(EadThreshold){.value = 2.25f});
    ead_evaluation_set_pro_limit(e, 1);
    ck_assert_int_eq(ead_evaluation_finish(e, &metrics), EAD_OK);
    const EadMetricSet *logical = &metrics.defects[0].set, *structural = &metrics.defects[1].set;
    ck_assert(metrics.has_mean && metrics.mean.has_spro && metrics.defects[0].spro.count > 1);
    ASSERT_CLOSE(structural->au_spro_100, 1); /* its first pixel is the highest of all */
    /* The good pixels 2 and 1 (with the tied defect pixel, which saturates it), then two of 0. */
    ASSERT_CLOSE(logical->au_spro_100, 0.25 * 0.5 + 0.5);
    ASSERT_CLOSE(metrics.mean.au_spro_100, 0.5 * (1 + 0.625));
    ASSERT_CLOSE(metrics.mean.image_auroc, 0.5);
    ASSERT_CLOSE(metrics.total.image_auroc, 0.5);
    ck_assert(metrics.pro_limit == 1 && structural->au_pro_other > structural->au_pro_30);
    ASSERT_CLOSE(metrics.mean.au_pro_other, 0.5 * (logical->au_pro_other + structural->au_pro_other));
    ASSERT_CLOSE(metrics.mean.au_pro_30, 0.5 * (logical->au_pro_30 + structural->au_pro_30));
    ck_assert_int_eq(metrics.mean.images, 2);
    ASSERT_CLOSE(structural->image_tpr, 1);
    ASSERT_CLOSE(logical->image_tpr, 0);
    ASSERT_CLOSE(metrics.total.image_fpr, 1);
    ASSERT_CLOSE(metrics.total.image_f1, 0.5);
    ead_metrics_free(&metrics);
    ead_evaluation_free(e);
}
END_TEST

/* Defects of one name may be of both kinds, and one image may have several. */
START_TEST(loco_has_figures_by_name) {
    static const float map_a[] = {3, 1, 0}, map_b[] = {0, 1, 2}, map_good[] = {1, 0, 0};
    static uint8_t mask[] = {1, 1, 0}, left[] = {1, 0, 0}, middle[] = {0, 1, 0};
    char missing[] = "missing", broken[] = "broken", never[] = "never";
    EadDefectType items[] = {{.name = missing}, {.name = broken}, {.name = never}};
    EadDefectTypes types = {.items = items, .count = 3};
    EadDefectChannel a = {.mask = mask, .saturation = 1, .type = 1};
    EadDefectChannel b[] = {{.mask = left, .saturation = 1, .type = 1}, {.mask = middle, .saturation = 1}};
    EadGroundTruth truth_a = {.mask = {3, 1, 1, mask}, .channels = &a, .channel_count = 1, .types = &types};
    EadGroundTruth truth_b = {.mask = {3, 1, 1, mask}, .channels = b, .channel_count = 2, .types = &types};
    EadEvaluation *e = NULL;
    EadMetrics metrics;
    ck_assert_int_eq(ead_evaluation_new(&e), EAD_OK);
    add(e, "good", 2.5f, map_good, NULL);
    ck_assert_int_eq(ead_evaluation_add(e, "a", "structural_anomalies", 1, 3, map_a, 3, 1, &truth_a, NULL),
                     EAD_OK);
    ck_assert_int_eq(ead_evaluation_add(e, "b", "logical_anomalies", 1, 2, map_b, 3, 1, &truth_b, NULL),
                     EAD_OK);
    ead_evaluation_set_threshold(e, &(EadThreshold){.value = 2.25f});
    ck_assert_int_eq(ead_evaluation_finish(e, &metrics), EAD_OK);
    ck_assert_int_eq(metrics.type_count, 2);
    ck_assert_str_eq(metrics.types[0].name, "broken");
    ck_assert_str_eq(metrics.types[1].name, "missing");
    const EadMetricSet *first = &metrics.types[0].set, *second = &metrics.types[1].set;
    ck_assert(first->images == 2 && second->images == 1 && first->has_spro && !first->has_pixels);
    ASSERT_CLOSE(first->image_auroc, 0.5);
    ASSERT_CLOSE(second->image_auroc, 0);
    ASSERT_CLOSE(first->image_tpr, 0.5);
    /* Good pixels 2 1 0 0 0 of all three images; one channel is found at 3, the other with the last of them.
     */
    ASSERT_CLOSE(first->au_spro_100, 0.4 * 0.5 + 0.6 * 0.75);
    /* 2 1 0 0 without those of a; the channel is found together with the 1. */
    ASSERT_CLOSE(second->au_spro_100, 0.25 * 0.5 + 0.5);
    ck_assert_int_eq(metrics.defect_count, 2);
    ead_metrics_free(&metrics);
    ead_evaluation_free(e);
}
END_TEST

/* What is missing is in no pixel figure, as if the image were not there; the image's figures know it. */
START_TEST(an_image_without_mask_is_in_no_pixel_figure) {
    static const float map_a[] = {1.5f, 1, 0}, map_bare[] = {2, 0.5f, 0}, map_good[] = {1, 0, 0};
    static uint8_t mask_a[] = {1, 0, 0};
    EadMetrics with, without;
    for (int bare = 0; bare < 2; bare++) {
        EadEvaluation *e = NULL;
        ck_assert_int_eq(ead_evaluation_new(&e), EAD_OK);
        add(e, "scratch", 1.5f, map_a, mask_a);
        add(e, "good", 1, map_good, NULL);
        if (bare) add(e, "scratch", 0.5f, map_bare, NULL);
        ck_assert_int_eq(ead_evaluation_finish(e, bare ? &with : &without), EAD_OK);
        ead_evaluation_free(e);
    }
    ck_assert(with.total.images == 3 && without.total.images == 2 && with.unmasked.count == 1);
    ASSERT_CLOSE(with.total.image_auroc, 0.5);
    ASSERT_CLOSE(without.total.image_auroc, 1);
    ASSERT_CLOSE(with.total.pixel_auroc, 1);
    ck_assert(with.total.pixel_ap == without.total.pixel_ap &&
              with.total.au_pro_30 == without.total.au_pro_30 &&
              with.defects[0].set.pixel_f1_best == without.defects[0].set.pixel_f1_best &&
              with.defects[0].set.has_pixels && with.pro.count == without.pro.count);
    char text[2048] = "";
    FILE *stream = fmemopen(text, sizeof text, "w");
    ead_print_metrics(stream, &with);
    fclose(stream);
    ck_assert_ptr_nonnull(strstr(text,
                                 "without a mask that can be used, and so in no pixel metric: 1 anomalous "
                                 "image: x.png\n"));
    ead_metrics_free(&with);
    ead_metrics_free(&without);
}
END_TEST

START_TEST(missing_masks_leave_pixel_figures_out) {
    static const float map[] = {3, 1, 0};
    static uint8_t mask[] = {1, 0, 0};
    EadEvaluation *e = NULL;
    EadMetrics metrics;
    ck_assert_int_eq(ead_evaluation_new(&e), EAD_OK);
    ck_assert_int_eq(ead_evaluation_finish(e, &metrics), EAD_BAD_ARGUMENT);
    add(e, "good", 0, map, NULL);
    ck_assert_int_eq(ead_evaluation_finish(e, &metrics), EAD_OK);
    ck_assert(isnan(metrics.total.image_auroc) && !metrics.total.has_pixels && metrics.defect_count == 0);
    ead_metrics_free(&metrics);
    add(e, "a", 1, map, mask);
    add(e, "b", 1, map, NULL);
    ck_assert_int_eq(ead_evaluation_finish(e, &metrics), EAD_OK);
    ck_assert(metrics.defects[0].set.has_pixels && !metrics.defects[1].set.has_pixels);
    ck_assert(metrics.total.has_pixels && isnan(metrics.defects[1].set.au_pro_30));
    ASSERT_CLOSE(metrics.total.image_auroc, 1);
    ASSERT_CLOSE(metrics.total.au_pro_30, metrics.defects[0].set.au_pro_30);
    ck_assert_int_eq(metrics.unmasked.count, 1);
    ck_assert_str_eq(metrics.unmasked.items[0], "x.png");
    ead_metrics_free(&metrics);
    int64_t count;
    EadGroundTruth truth = {.mask = {3, 1, 1, mask}};
    ck_assert_int_eq(ead_evaluation_add(e, "c.png", NULL, 0, 1, map, 3, 1, &truth, NULL), EAD_BAD_ARGUMENT);
    ck_assert_ptr_nonnull(strstr(ead_error_message(), "c.png"));
    ck_assert_int_eq(ead_evaluation_add(e, "c.png", NULL, 0, NAN, map, 3, 1, NULL, NULL), EAD_BAD_ARGUMENT);
    ead_evaluation_samples(e, &count);
    ck_assert_int_eq(count, 3);
    ead_evaluation_free(e);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("ranking");
    TCase *tests = tcase_create("ranking");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, ranking_by_hand);
    tcase_add_test(tests, ranking_agrees_with_golden_values);
    tcase_add_test(tests, ranking_agrees_with_its_definition);
    tcase_add_test(tests, evaluation_reports_each_defect);
    tcase_add_test(tests, empty_masks_add_no_region);
    tcase_add_test(tests, loco_has_a_mean_of_its_two_kinds);
    tcase_add_test(tests, loco_has_figures_by_name);
    tcase_add_test(tests, an_image_without_mask_is_in_no_pixel_figure);
    tcase_add_test(tests, missing_masks_leave_pixel_figures_out);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
