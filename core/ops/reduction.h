/* Sums that do not depend on the number of threads: the elements are cut into fixed chunks, each chunk is
 * summed by one thread in a fixed order, and the partial sums are added in order. In double, because a float
 * sum over a million elements is good to three digits only. */
#pragma once

#include "core/base/real.h"

#include <stdint.h>

enum { EAD_CHUNK_ELEMENTS = 16384, EAD_SUM_LANES = 8 };

static inline int64_t ead_chunk_count(int64_t count) {
    return (count + EAD_CHUNK_ELEMENTS - 1) / EAD_CHUNK_ELEMENTS;
}

/* Elements of chunk number `chunk`. */
static inline int64_t ead_chunk_size(int64_t count, int64_t chunk) {
    int64_t left = count - chunk * EAD_CHUNK_ELEMENTS;
    return left < EAD_CHUNK_ELEMENTS ? left : EAD_CHUNK_ELEMENTS;
}

/* x[0] + … + x[count-1]. Lanes spelled out: the order of additions is ours, not the compiler's, and still
 * several additions are under way at a time. */
static inline double ead_sum(const real *x, int64_t count) {
    double lanes[EAD_SUM_LANES] = {0}, total = 0;
    int64_t i = 0;
    for (; i + EAD_SUM_LANES <= count; i += EAD_SUM_LANES)
        for (int k = 0; k < EAD_SUM_LANES; k++) lanes[k] += (double)x[i + k];
    for (int k = 0; i < count; i++, k++) lanes[k] += (double)x[i];
    for (int k = 0; k < EAD_SUM_LANES; k++) total += lanes[k];
    return total;
}

/* (a[0] - b[0])² + … + (a[length-1] - b[length-1])². */
static inline double ead_squared_distance(const real *a, const real *b, int64_t length) {
    double lanes[EAD_SUM_LANES] = {0}, total = 0;
    int64_t i = 0;
    for (; i + EAD_SUM_LANES <= length; i += EAD_SUM_LANES)
        for (int k = 0; k < EAD_SUM_LANES; k++) {
            double d = (double)a[i + k] - (double)b[i + k];
            lanes[k] += d * d;
        }
    for (int k = 0; i < length; i++, k++)
        lanes[k] += ((double)a[i] - (double)b[i]) * ((double)a[i] - (double)b[i]);
    for (int k = 0; k < EAD_SUM_LANES; k++) total += lanes[k];
    return total;
}

/* Sum of the partial sums, in order. */
static inline double ead_sum_partials(const double *partials, int64_t count) {
    double total = 0;
    for (int64_t i = 0; i < count; i++) total += partials[i];
    return total;
}
