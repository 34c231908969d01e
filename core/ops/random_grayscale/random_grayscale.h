/* Turns an image gray at some steps, drawn where the step runs. */
#pragma once

#include "core/graph/graph.h"

typedef struct EadRandomGrayscale {
    uint64_t seed, stream;
    float probability;
} EadRandomGrayscale;

/* x U8 [N,H,W,3], step I64 scalar, the number of steps done -> U8, like x: ead_color_gray() of it
 * (core/image/color.h) where ead_uniform() of word 0 of block step + 1 of the stream is below the
 * probability, else a copy. No gradient. Errors: EAD_BAD_SHAPE. */
EadNode *ead_random_grayscale(EadGraph *graph, EadNode *x, EadNode *step, EadRandomGrayscale draw);
