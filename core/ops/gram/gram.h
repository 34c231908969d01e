/* The mean products of channels: of channels with mean 0 and variance 1 their correlations. */
#pragma once

#include "core/graph/graph.h"

/* x [N,H,W,C] -> [1,C,C,1]: y[i,j] = mean over N, H and W of x[..., i] x[..., j], summed in double. For batches of
 * vectors. Errors: EAD_BAD_SHAPE beyond 16384 channels. */
EadNode *ead_gram(EadGraph *graph, EadNode *x);

/* x [N,H,W,C] -> the sum of the squares of the correlations of different channels over N, H and W, a scalar; epsilon: added to
 * the variances. Errors: EAD_BAD_SHAPE if N*H*W is 1. */
EadNode *ead_correlation_loss(EadGraph *graph, EadNode *x, double epsilon);
