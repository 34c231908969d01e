/* Ranks the numbers twice, as they are and rounded. */
#include "train/metrics/rounding.h"

#include "core/base/memory.h"
#include "train/metrics/metric_ranking.h"

#include <math.h>
#include <stdlib.h>

static const double allowed = 1e-6;

EadStatus ead_rounding_add(EadRounding *rounding, double value, bool anomalous) {
    EadRounding *r = rounding;
    EAD_TRY(ead_grow(&r->values, &r->value_capacity, r->count, sizeof *r->values, "the given values"));
    EAD_TRY(ead_grow(&r->anomalous, &r->label_capacity, r->count, 1, "the given values"));
    r->values[r->count] = value;
    r->anomalous[r->count++] = anomalous;
    r->changed = r->changed || (double)(float)value != value;
    return EAD_OK;
}

EadStatus ead_rounding_add_map(EadRounding *rounding, const double *values, int width, int height,
                               const EadImage *mask) {
    enum { MOST = 1000 };
    int64_t pixels = (int64_t)width * height, counts[2] = {0}, seen[2] = {0};
    for (int pass = 0; pass < 2; pass++)
        for (int64_t i = 0; i < pixels; i++) {
            int64_t x = mask ? i % width * mask->width / width : 0;
            int64_t y = mask ? i / width * mask->height / height : 0;
            int defect = mask && mask->pixels[y * mask->width + x] != 0;
            counts[defect] += pass == 0;
            if (pass == 0) continue;
            int64_t step = (counts[defect] + MOST - 1) / MOST;
            if (seen[defect]++ % step == 0) EAD_TRY(ead_rounding_add(rounding, values[i], defect));
        }
    return EAD_OK;
}

static EadStatus rank(const EadRounding *r, const double *values, EadMetricSet *set) {
    *set = ead_metric_set_empty();
    return ead_rank(values, r->anomalous, r->count, set, NULL, NULL);
}

static int ascending(const void *left, const void *right) {
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

EadStatus ead_rounding_check(const EadRounding *rounding, const char *label, const char *what) {
    EadMetricSet exact, rounded;
    if (!rounding->changed) return EAD_OK;
    double *values = ead_new(rounding->count, sizeof *values, "the given values");
    if (!values) return EAD_NO_MEMORY;
    for (int i = 0; i < rounding->count; i++) values[i] = (double)(float)rounding->values[i];
    EadStatus status = rank(rounding, values, &rounded);
    for (int i = 0; i < rounding->count; i++) values[i] = rounding->values[i];
    if (status == EAD_OK) status = rank(rounding, values, &exact);
    qsort(values, (size_t)rounding->count, sizeof *values, ascending);
    double middle = values[rounding->count / 2];
    free(values);
    EAD_TRY(status);
    /* Without one of the classes both are NAN, and nothing is compared. */
    if (!(fabs(exact.image_auroc - rounded.image_auroc) > allowed) &&
        !(fabs(exact.image_ap - rounded.image_ap) > allowed))
        return EAD_OK;
    return ead_fail(
        EAD_BAD_FILE,
        "%s: metrics are computed from 32-bit numbers, to which these 64-bit ones cannot be rounded: "
        "AU-ROC of the %s would be %.7g, not %.7g; subtract %.17g, their median, from all and save "
        "them again",
        label, what, rounded.image_auroc, exact.image_auroc, middle);
}

void ead_rounding_free(EadRounding *rounding) {
    free(rounding->values);
    free(rounding->anomalous);
    *rounding = (EadRounding){0};
}
