/* Batch normalisation in training, of three ops:
 *   statistics = ead_batch_statistics(g, x);
 *   ead_batch_norm_update(g, running, x, statistics, 0.1);
 *   y = ead_batch_norm(g, x, statistics, scale, shift, 1e-5);
 * For inference the running statistics, scale and shift fold into one ead_channel_affine(). */
#pragma once

#include "core/graph/graph.h"

typedef struct EadBatchNorm {
    double epsilon;
} EadBatchNorm;

typedef struct EadBatchNormUpdate {
    double mean_weight, variance_weight; /* of the batch in the running mean and variance */
    double kept;                         /* weight of what they were */
} EadBatchNormUpdate;

/* x [N,H,W,C] -> [2,1,1,C]: mean and (biased) variance of each channel over N, H and W. Passes no gradient
 * itself: that of ead_batch_norm() reaches through it. Errors: EAD_BAD_SHAPE if N*H*W is 1. */
EadNode *ead_batch_statistics(EadGraph *graph, EadNode *x);

/* running [2,1,1,C], a leaf: becomes (1 - momentum) running + momentum (mean, unbiased variance), in place.
 * statistics: of x. Start with mean 0 and variance 1. momentum in [0,1]; PyTorch's usual one is 0.1.
 * Errors: EAD_BAD_ARGUMENT, EAD_BAD_SHAPE. */
EadNode *ead_batch_norm_update(EadGraph *graph, EadNode *running, EadNode *x, EadNode *statistics,
                               double momentum);

/* y[..., c] = (x - mean) / sqrt(variance + epsilon) scale[c] + shift[c], [N,H,W,C]; scale and shift [1,1,1,C].
 * statistics must be ead_batch_statistics(x): the gradient of x is that of both together.
 * Errors: EAD_BAD_SHAPE; EAD_BAD_ARGUMENT for an epsilon that is not above 0 or statistics of something else. */
EadNode *ead_batch_norm(EadGraph *graph, EadNode *x, EadNode *statistics, EadNode *scale, EadNode *shift,
                        double epsilon);
