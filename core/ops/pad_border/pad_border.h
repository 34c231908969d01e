/* A border of zeros: unpadded networks' 56 x 56 maps become 64 x 64 before they are resized to the image. */
#pragma once

#include "core/graph/graph.h"

typedef struct EadPadBorder {
    int cells;
} EadPadBorder;

/* x [N,H,W,C] -> [N, H + 2 cells, W + 2 cells, C]: zeros on all four sides. cells in 0..65,535.
 * Errors: EAD_BAD_ARGUMENT. */
EadNode *ead_pad_border(EadGraph *graph, EadNode *x, int cells);
