/* y = factor * x. */
#pragma once

#include "core/graph/graph.h"

/* x [N,H,W,C] -> y of the same shape; factor is fixed when the graph is built. */
EadNode *ead_scale(EadGraph *graph, EadNode *x, double factor);
