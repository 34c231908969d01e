/* y[c] = sum over images and positions of x[..., c]: the gradient of a bias. */
#ifndef EAD_CORE_CHANNEL_SUM_H
#define EAD_CORE_CHANNEL_SUM_H

#include "core/graph/graph.h"

/* x [N,H,W,C] -> [1,1,1,C]. Passes no gradient itself. */
EadNode *ead_channel_sum(EadGraph *graph, EadNode *x);

#endif
