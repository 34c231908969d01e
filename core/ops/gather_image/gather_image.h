/* One image out of many that stay where the step runs. */
#pragma once

#include "core/graph/graph.h"

/* images [N,H,W,C] real or U8, index I64 scalar in 0..N-1 -> [1,H,W,C], a copy of images[index]. No gradient.
 * Errors: EAD_BAD_SHAPE for other types. An index out of range is the caller's mistake: nothing checks it. */
EadNode *ead_gather_image(EadGraph *graph, EadNode *images, EadNode *index);
