/* A growing array of curve points. */
#include "train/metrics/curve.h"

#include <stdlib.h>

EadStatus ead_curve_push(EadCurve *curve, EadCurvePoint point) {
    if (curve->count == curve->capacity) {
        int64_t capacity = curve->capacity > 0 ? 2 * curve->capacity : 64;
        EadCurvePoint *grown = realloc(curve->points, (size_t)capacity * sizeof *grown);
        if (!grown)
            return ead_fail(EAD_NO_MEMORY, "no memory for a curve of %lld points", (long long)capacity);
        curve->points = grown;
        curve->capacity = capacity;
    }
    curve->points[curve->count++] = point;
    return EAD_OK;
}

void ead_curve_free(EadCurve *curve) {
    free(curve->points);
    *curve = (EadCurve){0};
}
