/* Metrics of a list of scores with labels: AU-ROC, average precision, best F1, curves, counts at a
 * threshold. All exact: computed from the sorted scores, never from a histogram. The decision rule everywhere
 * is "score >= threshold is anomalous". */
#ifndef EAD_TRAIN_METRIC_RANKING_H
#define EAD_TRAIN_METRIC_RANKING_H

#include "core/base/status.h"

#include <stdint.h>

/* A curve of a detector over its threshold: ROC, PRO, precision over recall. Points run from the highest threshold
 * (nothing is anomalous) to the lowest. */
typedef struct EadCurvePoint {
    double threshold; /* a score >= threshold counts as anomalous; +infinity at the first point */
    double x;         /* false-positive rate, 0..1 */
    double y;         /* true-positive rate or per-region overlap, 0..1 */
} EadCurvePoint;

typedef struct EadCurve {
    int count, capacity;
    EadCurvePoint *points; /* owned; NULL when empty */
} EadCurve;

/* Appends a point. Errors: EAD_NO_MEMORY. */
EadStatus ead_curve_push(EadCurve *curve, EadCurvePoint point);

/* Frees the points and leaves an empty curve; harmless on an empty (zeroed) one. */
void ead_curve_free(EadCurve *curve);

typedef struct EadBestF1 {
    double f1;        /* 0..1; NAN without anomalous samples */
    double threshold; /* the score that reaches it, the highest one if several do */
} EadBestF1;

typedef struct EadConfusion {
    int64_t true_positives, false_positives, false_negatives, true_negatives;
} EadConfusion;

/* Area under the ROC curve = P(anomalous score > good score) + half of P(equal), as an exact rank statistic.
 * scores [count], finite; anomalous [count], 0 or 1; count >= 0. *auroc becomes NAN when a class is absent.
 * Errors: EAD_BAD_ARGUMENT for a score that is not finite, EAD_NO_MEMORY. */
EadStatus ead_auroc(const float *scores, const uint8_t *anomalous, int64_t count, double *auroc);

/* Average precision: the sum over the distinct scores, from the highest, of the recall gained times the
 * precision there (area under the precision-recall curve, without interpolation). *ap becomes NAN without
 * anomalous samples. Arguments and errors as above. */
EadStatus ead_average_precision(const float *scores, const uint8_t *anomalous, int64_t count, double *ap);

/* The highest F1 = 2 TP / (2 TP + FP + FN) over all distinct thresholds. Arguments and errors as above. */
EadStatus ead_best_f1(const float *scores, const uint8_t *anomalous, int64_t count, EadBestF1 *best);

/* All points of the ROC curve (x false-positive rate, y true-positive rate), one for each distinct score,
 * after (0,0). An empty curve when a class is absent. The caller frees it. Errors as above. */
EadStatus ead_roc_curve(const float *scores, const uint8_t *anomalous, int64_t count, EadCurve *curve);

/* All points of the precision-recall curve (x recall, y precision), one for each distinct score, after (0,1).
 * An empty curve without anomalous samples. The caller frees it. Errors as above. */
EadStatus ead_pr_curve(const float *scores, const uint8_t *anomalous, int64_t count, EadCurve *curve);

/* The four counts at one threshold, and the F1 that follows from them (NAN when nothing is or is called
 * anomalous). */
EadConfusion ead_confusion_at(const float *scores, const uint8_t *anomalous, int64_t count, double threshold);
double ead_confusion_f1(EadConfusion confusion);

#endif
