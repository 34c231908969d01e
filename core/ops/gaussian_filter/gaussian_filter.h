/* Smoothing of maps by a Gaussian, as scipy.ndimage.gaussian_filter does it by default: rows, then columns,
 * each with the taps exp(-i²/2sigma²), |i| <= radius = 4 sigma rounded, scaled to a sum of 1; beyond the
 * border the map goes on mirrored, with the edge repeated (d c b a | a b c d | d c b a), as often as needed.
 * For maps, which nobody trains on: no gradient. */
#pragma once

#include "core/graph/graph.h"

#include <math.h>

enum { EAD_GAUSSIAN_MAX_RADIUS = 64 };

typedef struct EadGaussianFilter {
    double sigma;
} EadGaussianFilter;

/* x [N,H,W,C] -> the same size; sigma in pixels, from 0 (as it is) to 16. Errors: EAD_BAD_ARGUMENT. */
EadNode *ead_gaussian_filter(EadGraph *graph, EadNode *x, double sigma);

/* The taps of one side: taps[i] weighs what lies i to the left and i to the right. */
typedef struct EadGaussianTaps {
    int radius;
    real taps[EAD_GAUSSIAN_MAX_RADIUS + 1];
} EadGaussianTaps;

static inline EadGaussianTaps ead_gaussian_taps(double sigma) {
    EadGaussianTaps t;
    double sum = 0;
    t.radius = (int)(4 * sigma + 0.5);
    for (int i = -t.radius; i <= t.radius; i++) sum += exp(-0.5 * i * i / (sigma * sigma));
    for (int i = 0; i <= t.radius; i++) t.taps[i] = (real)(exp(-0.5 * i * i / (sigma * sigma)) / sum);
    if (t.radius == 0) t.taps[0] = 1; /* sigma may be 0 */
    return t;
}
