/* What the two metric suites share: the tolerance and the slow, obvious AU-ROC. */
#ifndef EAD_TEST_METRICS_COMMON_H
#define EAD_TEST_METRICS_COMMON_H

#include "core/base/philox.h"

#include <math.h>
#include <stdint.h>

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
static inline double slow_auroc(const float *scores, const uint8_t *anomalous, int64_t count) {
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

#endif
