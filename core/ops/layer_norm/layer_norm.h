/* Layer normalization over a whole image, of two ops:
 *   statistics = ead_layer_statistics(g, x);
 *   y = ead_layer_norm(g, x, statistics, scale, shift, 1e-5); */
#pragma once

#include "core/graph/graph.h"

typedef struct EadLayerNorm {
    double epsilon;
} EadLayerNorm;

/* x [N,H,W,C] -> [N,1,1,2]: mean and (biased) variance of each image over H, W and C. Passes no gradient itself:
 * that of ead_layer_norm() reaches through it. Errors: EAD_BAD_SHAPE. */
EadNode *ead_layer_statistics(EadGraph *graph, EadNode *x);

/* y = (x - mean) / sqrt(variance + epsilon) scale + shift, [N,H,W,C]; scale and shift [1,H,W,C], one number an
 * element. statistics must be ead_layer_statistics(x): the gradient of x is that of both together.
 * Errors: EAD_BAD_SHAPE; EAD_BAD_ARGUMENT for an epsilon that is not above 0 or statistics of something else. */
EadNode *ead_layer_norm(EadGraph *graph, EadNode *x, EadNode *statistics, EadNode *scale, EadNode *shift,
                        double epsilon);
