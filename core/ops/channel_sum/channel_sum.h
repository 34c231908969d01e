/* y[c] = sum over images and positions of x[..., c]: the gradient of a bias. */
#pragma once

#include "core/graph/graph.h"

/* x [N,H,W,C] -> [1,1,1,C]. Passes no gradient itself. */
EadNode *ead_channel_sum(EadGraph *graph, EadNode *x);
