/* Rows of a codebook by their distance: the nearest one quantises a vector, one further away disturbs it (DSR). Unlike
 * nearest_rows it may look at a table that changes from run to run, and knows any rank; the table is small. */
#pragma once

#include "core/graph/graph.h"

enum { EAD_RANKED_MAX_ROWS = 8192, EAD_RANKED_MAX_LENGTH = 1024 };

/* queries [N,H,W,C], table [M,1,1,C] -> [N,H,W,1]: the number of the row that is number `rank` by squared distance, 0 being the
 * nearest; of rows equally near the earlier comes first. ranks [N,H,W,1], whole numbers 0 .. M-1 in real; NULL: all 0. A query
 * that is not finite, or a rank that there is not, gets M. Distances are |m|² - 2 q m, computed in single precision. M at most
 * 8,192, C at most 1,024. No gradient. Errors: EAD_BAD_SHAPE. */
EadNode *ead_ranked_rows(EadGraph *graph, EadNode *queries, EadNode *table, EadNode *ranks);
