/* y = max(x, 0). */
#pragma once

#include "core/graph/graph.h"

/* x [N,H,W,C] -> y of the same shape. Its gradient reads y only, so the forward pass may overwrite x. */
EadNode *ead_relu(EadGraph *graph, EadNode *x);

/* dx = dy where y > 0, else 0 (the gradient at 0 is 0, as in PyTorch). dy and y [N,H,W,C]. */
EadNode *ead_relu_gradient(EadGraph *graph, EadNode *dy, EadNode *y);
