/* y = factor * x. */
#ifndef EAD_CORE_SCALE_H
#define EAD_CORE_SCALE_H

#include "core/graph/graph.h"

/* x [N,H,W,C] -> y of the same shape; factor is fixed when the graph is built. */
EadNode *ead_scale(EadGraph *graph, EadNode *x, double factor);

#endif
