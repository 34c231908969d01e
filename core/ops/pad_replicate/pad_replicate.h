/* A border that repeats the outermost cells, which a convolution sees instead of zeros. */
#pragma once

#include "core/graph/graph.h"

typedef struct EadPadReplicate {
    int cells;
} EadPadReplicate;

/* x [N,H,W,C] -> [N, H + 2 cells, W + 2 cells, C]: in each cell of the border that of x which is nearest. cells in
 * 0..65,535. Errors: EAD_BAD_ARGUMENT; EAD_BAD_SHAPE where that is too large. */
EadNode *ead_pad_replicate(EadGraph *graph, EadNode *x, int cells);
