/* y = x * scale[c] + shift[c]: normalisation of the teacher's channels, of features from a cache, and of the
 * maps. */
#pragma once

#include "core/graph/graph.h"

/* x [N,H,W,C], real or (a leaf) EAD_F16, widened exactly -> the same shape, real. scale and shift [1,1,1,C]
 * are constants, shift may be NULL (zero): no gradient flows to them, and one that could take one is refused.
 * Errors: EAD_BAD_SHAPE; EAD_BAD_ARGUMENT for a trainable scale or shift. */
EadNode *ead_channel_affine(EadGraph *graph, EadNode *x, EadNode *scale, EadNode *shift);
