/* Nearest neighbours: for each query the nearest rows of a bank by squared Euclidean distance, among all rows.
 * Candidates are found by products, |q|² + |m|² - 2 q·m, a few more than are asked for; their distances are then
 * computed from the differences themselves, in double, and the nearest of them are the result. So a row is missed
 * only where more than three others are as near to the rounding of |m|² in single precision. The matrix of all
 * distances never exists. For frozen features: no gradient. */
#pragma once

#include "core/graph/graph.h"

#include <stdbool.h>

enum {
    EAD_NEAREST_MAX = 16,  /* neighbours that can be asked for */
    EAD_NEAREST_SPARE = 3, /* candidates beyond these */
    EAD_NEAREST_LISTED = EAD_NEAREST_MAX + EAD_NEAREST_SPARE,
    EAD_NEAREST_MAX_ROWS = 1 << 24, /* the indices that a float can hold */
};

typedef struct EadNearestRows {
    int count;    /* k */
    bool indices; /* whether they are given, too */
} EadNearestRows;

/* queries [N,H,W,C], bank [M,1,1,C] -> [N,H,W,k]: the squared distances to the k nearest rows, nearest first,
 * of equal ones the earlier row first; with indices [N,H,W,2k]: behind them the rows' numbers. 1 <= k <= 16,
 * k <= M <= 2^24. A query that is not finite gets infinity and the number M. Errors: EAD_BAD_ARGUMENT, EAD_BAD_SHAPE. */
EadNode *ead_nearest_rows(EadGraph *graph, EadNode *queries, EadNode *bank, EadNearestRows attributes);
