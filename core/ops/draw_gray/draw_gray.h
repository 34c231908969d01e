/* Turns an image gray at some steps, drawn where the step runs. */
#ifndef EAD_OPS_DRAW_GRAY_H
#define EAD_OPS_DRAW_GRAY_H

#include "core/graph.h"

typedef struct EadDrawGray {
    uint64_t seed, stream;
    float probability;
} EadDrawGray;

/* x U8 [N,H,W,3], step I64 scalar, the number of steps done -> U8, like x: ead_color_gray() of it
 * (core/color.h) where ead_uniform() of word 0 of block step + 1 of the stream is below the probability, else
 * a copy. No gradient. Errors: EAD_BAD_SHAPE. */
EadNode *ead_draw_gray(EadGraph *graph, EadNode *x, EadNode *step, EadDrawGray draw);

#endif
