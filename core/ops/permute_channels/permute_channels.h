/* Channels in another order. */
#pragma once

#include "core/graph/graph.h"

/* x [N,H,W,C], order: EAD_I64 leaf [1,1,1,C], a permutation of 0..C-1 (the caller's duty: kernels do not look)
 * -> [N,H,W,C], y[..., c] = x[..., order[c]]. The gradient is its inverse. Errors: EAD_BAD_SHAPE. */
EadNode *ead_permute_channels(EadGraph *graph, EadNode *x, EadNode *order);
