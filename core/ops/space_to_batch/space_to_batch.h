/* Every second pixel of every second row, four pictures out of one, and back. A layer with a stride of 2 sees one of
 * them; a network whose layers of that kind see all four has an output for each pixel in the end. */
#pragma once

#include "core/graph/graph.h"

/* Attributes of ead_batch_to_space and of the gradient of ead_space_to_batch, which is the same. */
typedef struct EadBatchToSpace {
    int h, w; /* of the output */
} EadBatchToSpace;

/* x [N,H,W,C] -> [4N,H/2,W/2,C], sizes rounded down: a last odd row or column is left out. Picture (2i + j) N + n has
 * the pixels (2h + i, 2w + j) of picture n. Errors: EAD_BAD_SHAPE below 2x2. */
EadNode *ead_space_to_batch(EadGraph *graph, EadNode *x);

/* x [4N,H,W,C] -> [N,2H,2W,C], the reverse. No gradient. Errors: EAD_BAD_SHAPE unless 4 divides the pictures. */
EadNode *ead_batch_to_space(EadGraph *graph, EadNode *x);
