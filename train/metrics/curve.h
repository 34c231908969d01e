/* A curve of a detector over its threshold: ROC and PRO both are one. Points run from the highest threshold
 * (nothing is anomalous) to the lowest. */
#ifndef EAD_TRAIN_CURVE_H
#define EAD_TRAIN_CURVE_H

#include "core/base/status.h"

#include <stdint.h>

typedef struct EadCurvePoint {
    double threshold; /* a score >= threshold counts as anomalous; +infinity at the first point */
    double x;         /* false-positive rate, 0..1 */
    double y;         /* true-positive rate or per-region overlap, 0..1 */
} EadCurvePoint;

typedef struct EadCurve {
    int64_t count, capacity;
    EadCurvePoint *points; /* owned; NULL when empty */
} EadCurve;

/* Appends a point. Errors: EAD_NO_MEMORY. */
EadStatus ead_curve_push(EadCurve *curve, EadCurvePoint point);

/* Frees the points and leaves an empty curve; harmless on an empty (zeroed) one. */
void ead_curve_free(EadCurve *curve);

#endif
