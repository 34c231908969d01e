/* Gaussian noise added to features. Nothing of it is stored: a function of the step counter, as in
 * dropout. */
#pragma once

#include "core/graph/graph.h"

typedef struct EadNoiseNormal {
    double deviation;
    uint64_t seed;
} EadNoiseNormal;

/* x [N,H,W,C], fewer than 2^34 elements -> x + deviation n of the same shape, n normal with variance 1, of
 * stream EAD_STREAM_NOISE (words: core/base/philox_rounds.h): elements 2k and 2k + 1 come from words 2k and
 * 2k + 1 by Box and Muller's method. The backends agree up to the rounding of logarithm and sine.
 * step       EAD_I64 scalar: the number of finished steps, 0 <= step < 2^30
 * deviation  at least 0, finite
 * Errors: EAD_BAD_ARGUMENT for a deviation out of range, EAD_BAD_SHAPE for a step that is no counter. */
EadNode *ead_noise_normal(EadGraph *graph, EadNode *x, EadNode *step, double deviation, uint64_t seed);
