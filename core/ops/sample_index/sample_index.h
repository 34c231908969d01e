/* Which image of a data set a step takes, drawn where the step runs: nothing needs to be sent there. */
#pragma once

#include "core/graph/graph.h"

typedef struct EadSampleIndex {
    uint64_t seed, stream;
} EadSampleIndex;

/* step: I64 scalar, the number of steps done; count: I64 scalar, 1..2^31 images -> I64 scalar:
 * ead_shuffled_index(seed, stream, step, count) of core/base/philox.h, which is 0..count-1. Errors:
 * EAD_BAD_SHAPE if step or count is no counter. */
EadNode *ead_sample_index(EadGraph *graph, EadNode *step, EadNode *count, EadSampleIndex draw);
