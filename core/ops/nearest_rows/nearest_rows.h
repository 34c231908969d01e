/* Nearest neighbours: for each query the nearest rows of a bank by squared Euclidean distance, among all rows. Distances
 * are computed from the differences, in double; on the CPU what is found is what measuring every row would find, to
 * the rounding of the distance found. On CUDA candidates are found by products in single precision, a few more than
 * are asked for, so that a row is missed only where more than these are as near to the rounding of |m|². The
 * matrix of all distances never exists. For frozen features: no gradient. */
#pragma once

#include "core/graph/graph.h"

#include <stdbool.h>

enum {
    EAD_NEAREST_MAX = 16,           /* neighbours that can be asked for */
    EAD_NEAREST_MAX_ROWS = 1 << 24, /* the indices that a float can hold */
};

typedef struct EadNearestRows {
    int count;    /* k */
    bool indices; /* whether they are given, too */
} EadNearestRows;

/* queries [N,H,W,C], bank [M,1,1,C] -> [N,H,W,k]: the squared distances to the k nearest rows, nearest first,
 * of equal ones the earlier row first; with indices [N,H,W,2k]: behind them the rows' numbers. 1 <= k <= 16,
 * k <= M <= 2^24. A row at a distance that is not finite is never found: a query that is not finite gets infinity
 * and the number M. Errors: EAD_BAD_ARGUMENT, EAD_BAD_SHAPE. */
EadNode *ead_nearest_rows(EadGraph *graph, EadNode *queries, EadNode *bank, EadNearestRows attributes);

/* What a plan on the CPU keeps beside a bank to search it, with the threads of now. */
size_t ead_nearest_rows_bytes(int64_t rows, int length);
