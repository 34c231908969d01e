/* A number that goes with the steps of a training from one value to another: the weight of a skip connection that fades, or of
 * a loss that joins later. */
#pragma once

#include "core/graph/graph.h"

typedef struct EadRamp {
    double from, to; /* values up to step `begin`, and from step `end` on; on a straight line between these */
    int64_t begin, end; /* steps done, begin <= end; the same: at once */
} EadRamp;

/* step: I64 scalar leaf, the number of steps done -> a scalar, without a gradient. Errors: EAD_BAD_SHAPE for a step that is no
 * counter; EAD_BAD_ARGUMENT for an end before the beginning. */
EadNode *ead_ramp(EadGraph *graph, EadNode *step, EadRamp attributes);
