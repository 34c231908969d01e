/* Some images of a batch, without a copy. */
#pragma once

#include "core/graph/graph.h"

/* Attributes of the slice and of its gradient. */
typedef struct EadBatchRange {
    int begin; /* first image */
    int count; /* slice: its images; gradient: the images of the whole batch */
} EadBatchRange;

/* x [N,H,W,C] -> images begin .. begin+count-1, [count,H,W,C], a view. Errors: EAD_BAD_SHAPE outside 0..N. */
EadNode *ead_slice_batch(EadGraph *graph, EadNode *x, int begin, int count);
