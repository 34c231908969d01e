/* y = (a - b)²: the distance between teacher, student and autoencoder, element by element. */
#pragma once

#include "core/graph/graph.h"

typedef struct EadSquaredDifference {
    int sign; /* of the gradient: +1 to a, -1 to b */
} EadSquaredDifference;

/* a, b [N,H,W,C] -> the same shape; gradients to both. b may be NULL: a squared. Errors: EAD_BAD_SHAPE if
 * they differ. */
EadNode *ead_squared_difference(EadGraph *graph, EadNode *a, EadNode *b);
