/* The coreset of PatchCore: rows chosen one after another, each the one that is farthest from those chosen before
 * (greedy k-centre), on random projections to 128 numbers. */
#pragma once

#include "core/base/real.h"
#include "core/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct EadCoreset {
    const real *rows; /* [count][length] */
    int64_t count;
    int length;
    const real *bank; /* [bank_count][length]: chosen earlier, or NULL */
    int64_t bank_count;
    int64_t choose; /* how many to choose, 0 .. count */
    uint64_t seed;  /* of projection and starting points */
    bool exact;     /* first the row that is farthest from all, not from a few starting points */
    bool quiet;     /* no progress line */
} EadCoreset;

/* chosen [choose]: the rows' numbers in the order of choice; all of them in their own order where all are wanted.
 * How far a row is at first: from an earlier bank the distance to its nearest row, else, if exact, the root of the
 * sum of its squared distances to all rows, else the mean of its distances to ten rows drawn. Ties: the first. The
 * same on any number of threads. Errors: EAD_NO_MEMORY, EAD_INTERRUPTED. */
EadStatus ead_coreset_choose(const EadCoreset *coreset, int64_t *chosen);

/* With so many times the rows, and as many times the chosen, the time grows by that power: measured from 25,000 to 300,000 rows
 * of MVTec AD's bottle, of which a hundredth and a tenth were chosen. */
#define EAD_CORESET_POWER 1.6

/* Bytes that it takes besides rows and bank. */
size_t ead_coreset_bytes(int64_t count, int64_t choose);
