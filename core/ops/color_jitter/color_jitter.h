/* The colour jitter of the autoencoder's image, drawn where the step runs. */
#pragma once

#include "core/graph/graph.h"

typedef struct EadDrawJitter {
    uint64_t seed, stream; /* EAD_STREAM_AUGMENT */
} EadDrawJitter;

/* x U8 [1,H,W,3], step I64 scalar, the number of steps done -> U8, like x, changed as ead_color_jitter()
 * (core/image/color.h) changes the image of step + 1. No gradient. Errors: EAD_BAD_SHAPE. */
EadNode *ead_random_color_jitter(EadGraph *graph, EadNode *x, EadNode *step, uint64_t seed);
