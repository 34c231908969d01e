/* y = x where a mask of positions is set, a constant elsewhere: what is outside of a region of interest takes no part. */
#pragma once

#include "core/graph/graph.h"

/* x [N,H,W,C] -> the same shape. mask [1,H,W,1], a constant: positions where it is not above 0 get `value` in every image and channel,
 * whatever x is there; the others keep x to the bit. Gradient to x. Errors: EAD_BAD_SHAPE; EAD_BAD_ARGUMENT for a
 * trainable mask. */
EadNode *ead_fill_cells(EadGraph *graph, EadNode *x, EadNode *mask, double value);
