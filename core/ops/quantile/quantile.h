/* The exact quantile of all elements of a tensor, for any number of elements (torch.quantile refuses more
 * than 2^24), by radix selection: no sorting, no copy, and on every backend without a host sync. */
#pragma once

#include "core/graph/graph.h"

typedef struct EadQuantile {
    double q;
} EadQuantile;

/* x [N,H,W,C] -> scalar: the value at position q (count - 1) of the sorted elements, linear between the two
 * neighbours as in torch.quantile; the position is computed in double. q in [0,1]. NaN if any element is NaN.
 * No gradient flows through it. Errors: EAD_BAD_ARGUMENT for q outside [0,1]. */
EadNode *ead_quantile(EadGraph *graph, EadNode *x, double q);
