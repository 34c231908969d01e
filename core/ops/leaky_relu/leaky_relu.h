/* y = x where x > 0, else slope * x. */
#pragma once

#include "core/graph/graph.h"

typedef struct EadLeakyRelu {
    double slope;
} EadLeakyRelu;

/* x [N,H,W,C] -> y of the same shape; slope in (0,1). Its gradient reads y only, whose sign is that of x, so the
 * forward pass may overwrite x. Errors: EAD_BAD_ARGUMENT for a slope outside (0,1). */
EadNode *ead_leaky_relu(EadGraph *graph, EadNode *x, double slope);
