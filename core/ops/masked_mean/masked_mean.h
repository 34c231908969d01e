/* The mean of the elements that reach a threshold, and with it the hard feature loss. */
#pragma once

#include "core/graph/graph.h"

/* x [N,H,W,C], threshold a scalar -> scalar: the mean of all x >= threshold; NaN if there are none. Gradients
 * flow through the selected elements only, none to the threshold. Errors: EAD_BAD_SHAPE if threshold is no
 * scalar. */
EadNode *ead_masked_mean(EadGraph *graph, EadNode *x, EadNode *threshold);

/* Hard feature loss (EfficientAD, section 3.2).
 * d   [N,H,W,C], squared teacher-student distance, >= 0
 * q   quantile in [0,1]; the paper uses 0.999; linear interpolation between order statistics
 * Returns a scalar node: the mean of all d >= quantile(d, q). Gradients flow through the selected values
 * only; the quantile counts as a constant. */
EadNode *ead_hard_feature_loss(EadGraph *graph, EadNode *d, double q);
