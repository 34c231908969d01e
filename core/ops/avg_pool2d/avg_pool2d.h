/* Average pooling with square windows; padded zeros count (as PyTorch's avg_pool2d does by default). */
#pragma once

#include "core/graph/graph.h"

typedef struct EadAvgPool2d {
    int kernel, stride, padding;
    int h, w; /* size of the forward input; used by the gradient only */
} EadAvgPool2d;

/* x [N,H,W,C] -> [N,OH,OW,C] with OH = (H + 2 padding - kernel) / stride + 1, rounded down, and OW alike: the
 * sum over each window divided by kernel². kernel, stride >= 1; padding 0..kernel/2. Errors: EAD_BAD_ARGUMENT
 * for other attributes, EAD_BAD_SHAPE if the window is larger than the padded input. */
EadNode *ead_avg_pool2d(EadGraph *graph, EadNode *x, int kernel, int stride, int padding);
