/* Instance normalisation without trained parameters (torch.nn.InstanceNorm2d): every channel of every image by itself. */
#pragma once

#include "core/graph/graph.h"

typedef struct EadInstanceNorm {
    double epsilon;
} EadInstanceNorm;

/* x [N,H,W,C] -> (x - mean) / sqrt(variance + epsilon), with mean and (biased) variance over H and W; the same shape. The
 * gradient reaches through both. Errors: EAD_BAD_SHAPE if H*W is 1, where there is no variance; EAD_BAD_ARGUMENT for an
 * epsilon that is not above 0. */
EadNode *ead_instance_norm(EadGraph *graph, EadNode *x, double epsilon);
