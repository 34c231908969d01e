/* The focal loss of two classes (Lin et al. 2017) as DSR has it: without weights of classes, exponent 2. */
#pragma once

#include "core/graph/graph.h"

/* logits [N,H,W,2] of good and anomalous, target [N,H,W,1] 0 .. 1, a constant -> [N,H,W,1]: -(1 - p)² ln p of each pixel, where
 * p is the probability of the true class: with both probabilities' weights kept within [1e-5, 1 - 1e-5], plus 1e-5. The gradient
 * goes to logits. Errors: EAD_BAD_SHAPE. */
EadNode *ead_focal_loss(EadGraph *graph, EadNode *logits, EadNode *target);
