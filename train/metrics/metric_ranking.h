/* The metrics of a group of images, and how those of a list of scores with labels come about: AU-ROC, average
 * precision, best F1, curves, counts at a threshold. All exact: computed from the sorted scores, never from a
 * histogram. The decision rule everywhere is "score >= threshold is anomalous". */
#pragma once

#include "core/base/status.h"

#include <stdint.h>

/* Rows of metrics.def. */
enum {
#define EAD_METRIC(name, ...) EAD_METRIC_##name,
#include "train/metrics/metrics.def"
#undef EAD_METRIC
    EAD_METRICS
};

/* Fractions of 1, NAN where undefined (one class is absent) or out of scope. */
typedef struct EadMetricSet {
    int64_t images;            /* for a kind of defect: its own images, without the good ones */
    int has_pixels, has_spro;  /* 0: no maps or masks; 0: no defect channels */
    double image_f1_threshold; /* where image_f1_best is reached */
    double pixel_f1_threshold; /* the map value where pixel_f1_best is reached */
    union {
        struct {
#define EAD_METRIC(name, ...) double name;
#include "train/metrics/metrics.def"
#undef EAD_METRIC
        };
        double values[EAD_METRICS]; /* the same by number */
    };
} EadMetricSet;

/* No images; all values NAN. */
EadMetricSet ead_metric_set_empty(void);

/* A curve of a detector over its threshold: ROC, PRO, precision over recall. Points run from the highest
 * threshold (nothing is anomalous) to the lowest. */
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

typedef struct EadConfusion {
    int64_t true_positives, false_positives, false_negatives, true_negatives;
} EadConfusion;

/* Fills in of *set, which was empty:
 * image_auroc    area under the ROC curve = P(anomalous score > good score) + half of P(equal), as an exact
 *                rank statistic; NAN when a class is absent
 * image_ap       average precision: the sum over the distinct scores, from the highest, of the recall gained
 *                times the precision there (area under the precision-recall curve, without interpolation)
 * image_f1_best  the highest F1 = 2 TP / (2 TP + FP + FN) over all distinct scores, and the highest score
 *                that reaches it; NAN like the average precision without anomalous samples
 * and appends to the curves, unless they are NULL, one point for each distinct score: roc (x false-positive
 * rate, y true-positive rate) after (0,0), when both classes are there; pr (x recall, y precision) after
 * (0,1), when there are anomalous samples. scores [count], finite; anomalous [count], 0 or 1; count >= 0.
 * Errors: EAD_BAD_ARGUMENT for a score that is not finite, EAD_NO_MEMORY. */
EadStatus ead_rank(const double *scores, const uint8_t *anomalous, int64_t count, EadMetricSet *set,
                   EadCurve *roc, EadCurve *pr);

/* The four counts at one threshold, and their F1 (NAN when nothing is or is called anomalous). */
EadConfusion ead_confusion_at(const double *scores, const uint8_t *anomalous, int64_t count,
                              double threshold);
double ead_confusion_f1(EadConfusion confusion);
