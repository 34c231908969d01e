/* One descending sort, then a walk over the runs of equal scores. */
#include "train/metrics/metric_ranking.h"

#include "core/base/memory.h"

#include <math.h>
#include <stdlib.h>

typedef struct Ranked {
    float score;
    uint8_t anomalous;
} Ranked;

/* A walk down the ranking: each step takes one run of equal scores. */
typedef struct Ranking {
    Ranked *items;
    int64_t count, position;
    int64_t positives, negatives;           /* in all */
    int64_t seen_positives, seen_negatives; /* up to and including the present run */
    int64_t run_positives, run_negatives;
    float score; /* of the present run */
} Ranking;

static int descending(const void *left, const void *right) {
    float a = ((const Ranked *)left)->score, b = ((const Ranked *)right)->score;
    return (a < b) - (a > b);
}

static EadStatus ranking_start(Ranking *ranking, const float *scores, const uint8_t *anomalous,
                               int64_t count) {
    *ranking = (Ranking){.count = count};
    ranking->items = ead_new(count, sizeof *ranking->items, "the ranking of the scores");
    if (!ranking->items) return EAD_NO_MEMORY;
    for (int64_t i = 0; i < count; i++) {
        if (!isfinite(scores[i])) {
            free(ranking->items);
            return ead_fail(EAD_BAD_ARGUMENT, "score %lld is %g: only finite scores can be ranked",
                            (long long)i, (double)scores[i]);
        }
        ranking->items[i] = (Ranked){scores[i], anomalous[i] != 0};
        if (anomalous[i])
            ranking->positives++;
        else
            ranking->negatives++;
    }
    qsort(ranking->items, (size_t)count, sizeof *ranking->items, descending);
    return EAD_OK;
}

/* Takes the next run; 0 at the end. */
static int ranking_next(Ranking *ranking) {
    if (ranking->position >= ranking->count) return 0;
    ranking->score = ranking->items[ranking->position].score;
    ranking->run_positives = ranking->run_negatives = 0;
    while (ranking->position < ranking->count && ranking->items[ranking->position].score == ranking->score) {
        if (ranking->items[ranking->position++].anomalous)
            ranking->run_positives++;
        else
            ranking->run_negatives++;
    }
    ranking->seen_positives += ranking->run_positives;
    ranking->seen_negatives += ranking->run_negatives;
    return 1;
}

static double precision(const Ranking *ranking) {
    return (double)ranking->seen_positives / (double)(ranking->seen_positives + ranking->seen_negatives);
}

static double recall(const Ranking *ranking) {
    return (double)ranking->seen_positives / (double)ranking->positives;
}

static EadStatus add_points(const Ranking *ranking, EadCurve *roc, EadCurve *pr) {
    double score = (double)ranking->score, x = recall(ranking);
    if (pr) EAD_TRY(ead_curve_push(pr, (EadCurvePoint){score, x, precision(ranking)}));
    if (!roc || ranking->negatives == 0) return EAD_OK;
    double fpr = (double)ranking->seen_negatives / (double)ranking->negatives;
    return ead_curve_push(roc, (EadCurvePoint){score, fpr, x});
}

/* Goes through the ranking, which has a positive. */
static EadStatus measure(Ranking *ranking, EadMetricSet *set, EadCurve *roc, EadCurve *pr) {
    int64_t twice = 0; /* twice the number of pairs in the right order, so that ties stay whole numbers */
    double pairs = (double)ranking->positives * (double)ranking->negatives, ap = 0;
    if (pr) EAD_TRY(ead_curve_push(pr, (EadCurvePoint){INFINITY, 0, 1}));
    if (roc && pairs > 0) EAD_TRY(ead_curve_push(roc, (EadCurvePoint){INFINITY, 0, 0}));
    while (ranking_next(ranking)) {
        int64_t called = ranking->seen_positives + ranking->seen_negatives;
        double f1 = 2 * (double)ranking->seen_positives / (double)(called + ranking->positives);
        twice += ranking->run_negatives * (2 * ranking->seen_positives - ranking->run_positives);
        ap += (double)ranking->run_positives * precision(ranking);
        if (isnan(set->image_f1_best) || f1 > set->image_f1_best) {
            set->image_f1_best = f1;
            set->image_f1_threshold = (double)ranking->score;
        }
        EAD_TRY(add_points(ranking, roc, pr));
    }
    if (pairs > 0) set->image_auroc = (double)twice / (2 * pairs);
    set->image_ap = ap / (double)ranking->positives;
    return EAD_OK;
}

EadStatus ead_rank(const float *scores, const uint8_t *anomalous, int64_t count, EadMetricSet *set,
                   EadCurve *roc, EadCurve *pr) {
    Ranking ranking;
    EAD_TRY(ranking_start(&ranking, scores, anomalous, count));
    EadStatus status = ranking.positives > 0 ? measure(&ranking, set, roc, pr) : EAD_OK;
    free(ranking.items);
    return status;
}

EadConfusion ead_confusion_at(const float *scores, const uint8_t *anomalous, int64_t count,
                              double threshold) {
    EadConfusion confusion = {0};
    for (int64_t i = 0; i < count; i++) {
        if ((double)scores[i] >= threshold) {
            if (anomalous[i])
                confusion.true_positives++;
            else
                confusion.false_positives++;
        } else if (anomalous[i])
            confusion.false_negatives++;
        else
            confusion.true_negatives++;
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
