/* The affine coupling of a normalizing flow: a part of the channels is scaled and shifted by what a network, which
 * saw the others, says. */
#pragma once

#include "core/graph/graph.h"

#include <stdbool.h>

/* The logarithm of a scale is s = limit f(slope u) of the network's number u, f = tanh or arctangent: it stays
 * bounded. FastFlow: tanh, 2, 0.1, 0.1. AST with clamp a: arctangent, 0.636 a, 1 / a, 1. */
typedef struct EadCoupling {
    bool arctangent; /* f */
    double limit, slope;
    double gain; /* of the shift */
} EadCoupling;

/* x [N,H,W,C], a [N,H,W,2K], K <= C: K numbers for scales, then K for shifts -> y [N,H,W,C]: the first C - K
 * channels are those of x, the others y = x exp(s) + gain a_shift. Gradients to both. NaN in x or a stays one.
 * Errors: EAD_BAD_SHAPE; EAD_BAD_ARGUMENT for a limit, slope or gain that is not above 0. */
EadNode *ead_coupling(EadGraph *graph, EadNode *x, EadNode *a, EadCoupling coupling);

/* The coupling's log-determinant, added up over the batch: a [N,H,W,2K] -> scalar, the sum of all s. Summed in
 * double, the same for any number of threads. Errors: as above. */
EadNode *ead_coupling_logdet(EadGraph *graph, EadNode *a, EadCoupling coupling);
