/* Some channels of feature maps. */
#pragma once

#include "core/graph/graph.h"

/* Attributes of the slice and of its gradient. */
typedef struct EadChannelRange {
    int begin; /* first channel */
    int count; /* slice: its channels; gradient: the channels of the whole */
} EadChannelRange;

/* x [N,H,W,C] -> channels begin .. begin+count-1, [N,H,W,count], a copy. Slices that tile x have the joined
 * channels as gradient. Errors: EAD_BAD_SHAPE outside 0..C. */
EadNode *ead_slice_channels(EadGraph *graph, EadNode *x, int begin, int count);
