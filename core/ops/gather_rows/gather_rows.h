/* Rows of a table by their numbers: what a codebook says for each position. */
#pragma once

#include "core/graph/graph.h"

/* table [M,1,1,C] and index [N,H,W,1], whole numbers 0 .. M-1 in real -> [N,H,W,C]: row index of the table. A number that is
 * none of these gives NaN. No gradient. Errors: EAD_BAD_SHAPE. */
EadNode *ead_gather_rows(EadGraph *graph, EadNode *table, EadNode *index);
