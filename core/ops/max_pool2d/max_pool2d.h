/* Max pooling with square windows, as torch.nn.MaxPool2d. */
#pragma once

#include "core/graph/graph.h"

#include <stdbool.h>

typedef struct EadMaxPool2d {
    int kernel, stride, padding;
    bool ceil_mode; /* a last window may hang over the border, if it begins inside the image or its left
                       padding */
} EadMaxPool2d;

/* x [N,H,W,C] -> [N,OH,OW,C] with OH = (H + 2 padding - kernel) / stride + 1, rounded down or up, and OW
 * alike. The padding never wins; of equal values the first of a window, row by row, gets its gradient. kernel, stride >= 1; padding 0..kernel/2. Errors: EAD_BAD_ARGUMENT for other
 * attributes, EAD_BAD_SHAPE if the window is larger than the padded input. */
EadNode *ead_max_pool2d(EadGraph *graph, EadNode *x, EadMaxPool2d attributes);
