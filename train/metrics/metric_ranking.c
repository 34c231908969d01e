/* One descending sort, then a walk over the runs of equal scores. */
#include "train/metrics/metric_ranking.h"

#include "core/base/memory.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

typedef struct Ranked {
    double score;
    uint8_t anomalous;
} Ranked;

static int descending(const void *left, const void *right) {
    double a = ((const Ranked *)left)->score, b = ((const Ranked *)right)->score;
    return (a < b) - (a > b);
}

/* Goes down the ranking, which has a positive; each step takes one run of equal scores. */
static EadStatus measure(const Ranked *items, int64_t count, int64_t positives, EadMetricSet *set,
                         EadCurve *roc, EadCurve *pr) {
    int64_t twice = 0; /* twice the number of pairs in the right order, so that ties stay whole numbers */
    int64_t found = 0; /* positives up to and including the run */
    double negatives = (double)(count - positives), pairs = (double)positives * negatives, ap = 0;
    if (pr) EAD_TRY(ead_curve_push(pr, (EadCurvePoint){INFINITY, 0, 1}));
    if (roc && pairs > 0) EAD_TRY(ead_curve_push(roc, (EadCurvePoint){INFINITY, 0, 0}));
    for (int64_t first = 0, called = 0; first < count; first = called) {
        int64_t run = 0; /* positives in it */
        double score = items[first].score;
        for (; called < count && items[called].score == items[first].score; called++)
            run += items[called].anomalous;
        found += run;
        double precision = (double)found / (double)called, recall = (double)found / (double)positives;
        double f1 = 2 * (double)found / (double)(called + positives);
        twice += (called - first - run) * (2 * found - run);
        ap += (double)run * precision;
        if (isnan(set->image_f1_best) || f1 > set->image_f1_best) {
            set->image_f1_best = f1;
            set->image_f1_threshold = score;
        }
        if (pr) EAD_TRY(ead_curve_push(pr, (EadCurvePoint){score, recall, precision}));
        if (!roc || pairs == 0) continue;
        double fpr = (double)(called - found) / negatives;
        EAD_TRY(ead_curve_push(roc, (EadCurvePoint){score, fpr, recall}));
    }
    if (pairs > 0) set->image_auroc = (double)twice / (2 * pairs);
    set->image_ap = ap / (double)positives;
    return EAD_OK;
}

EadStatus ead_rank(const double *scores, const uint8_t *anomalous, int64_t count, EadMetricSet *set,
                   EadCurve *roc, EadCurve *pr) {
    int64_t positives = 0;
    for (int64_t i = 0; i < count; i++)
        if (!isfinite(scores[i]))
            return ead_fail(EAD_BAD_ARGUMENT, "score %lld is %g: only finite scores can be ranked",
                            (long long)i, scores[i]);
    Ranked *items = ead_new(count, sizeof *items, "the ranking of the scores");
    if (!items) return EAD_NO_MEMORY;
    for (int64_t i = 0; i < count; i++) {
        items[i] = (Ranked){scores[i], anomalous[i] != 0};
        positives += items[i].anomalous;
    }
    qsort(items, (size_t)count, sizeof *items, descending);
    EadStatus status = positives > 0 ? measure(items, count, positives, set, roc, pr) : EAD_OK;
    free(items);
    return status;
}

EadConfusion ead_confusion_at(const double *scores, const uint8_t *anomalous, int64_t count,
                              double threshold) {
    EadConfusion confusion = {0};
    for (int64_t i = 0; i < count; i++) {
        bool called = scores[i] >= threshold;
        confusion.true_positives += called && anomalous[i];
        confusion.false_positives += called && !anomalous[i];
        confusion.false_negatives += !called && anomalous[i];
        confusion.true_negatives += !called && !anomalous[i];
    }
    return confusion;
}

double ead_confusion_f1(EadConfusion confusion) {
    int64_t twice_hits = 2 * confusion.true_positives;
    int64_t all = twice_hits + confusion.false_positives + confusion.false_negatives;
    return all > 0 ? (double)twice_hits / (double)all : NAN;
}

EadStatus ead_curve_push(EadCurve *curve, EadCurvePoint point) {
    EAD_TRY(ead_grow(&curve->points, &curve->capacity, curve->count, sizeof point, "the points of a curve"));
    curve->points[curve->count++] = point;
    return EAD_OK;
}

void ead_curve_free(EadCurve *curve) {
    free(curve->points);
    *curve = (EadCurve){0};
}
