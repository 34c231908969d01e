/* PatchCore's score of an image with the weight of its paper's equation 7, as anomalib computes it: the farthest query
 * counts less where the bank is sparse around its nearest row, because good images vary much there. For frozen
 * features: no gradient. */
#pragma once

#include "core/graph/graph.h"

enum { EAD_REWEIGHT_MAX = 64 };

/* queries [N,H,W,C]; found: ead_nearest_rows() of them in the bank, with indices; bank [M,1,1,C] -> [N,1,1,1]:
 * d_1 (1 - softmax(d_1 ... d_k)_1), where d_i is the distance, not squared, from the farthest query (of equal ones the
 * first) to the i-th of the k rows of the bank that are nearest to that query's nearest row, which is itself the first
 * of them (of equally near ones the earlier). neighbours: k, 2 .. 64 and at most M. Infinity where a query is not
 * finite. Errors: EAD_BAD_ARGUMENT, EAD_BAD_SHAPE. */
EadNode *ead_reweighted_score(EadGraph *graph, EadNode *queries, EadNode *found, EadNode *bank,
                              int neighbours);
