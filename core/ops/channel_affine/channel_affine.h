/* y = x * scale[c] + shift[c]: normalisation of the teacher's channels, of features from a cache, and of the
 * maps; a trained scale in a flow. */
#pragma once

#include "core/graph/graph.h"

/* x [N,H,W,C], real or (a leaf) EAD_F16, widened exactly -> the same shape, real. scale and shift [1,1,1,C]; scale may be
 * one number for all channels, [1,1,1,1], shift NULL (zero). Gradients to all three; with halves scale and shift must be constants.
 * Errors: EAD_BAD_SHAPE; EAD_BAD_ARGUMENT for a trainable scale or shift of halves. */
EadNode *ead_channel_affine(EadGraph *graph, EadNode *x, EadNode *scale, EadNode *shift);

/* What takes values of that mean and standard deviation to 0 and 1: (x - mean) / std = x * scale + shift. */
typedef struct EadStandardizing {
    real mean, std, scale, shift;
} EadStandardizing;

/* Mean and standard deviation are rounded to single precision first, so that those read from a file give the same bits. Values
 * whose standard deviation is 0 to rounding never change: they get 1, or one odd value would drown all others. */
EadStandardizing ead_standardizing(double mean, double std);
