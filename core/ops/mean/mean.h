/* Mean over all elements: what makes a loss of a distance. */
#pragma once

#include "core/graph/graph.h"

typedef struct EadMean {
    int n, h, w, c; /* shape of the forward input; used by the gradient only */
} EadMean;

/* x [N,H,W,C] -> scalar. Summed in double, the same for any number of threads. */
EadNode *ead_mean(EadGraph *graph, EadNode *x);
