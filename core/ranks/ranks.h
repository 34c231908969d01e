/* Processes ("ranks") that compute one run together: each its share of every batch, summing gradients. How they talk
 * to each other is the business of whoever fills an EadRanks: train/ranks/ by MPI, tests by threads. Wherever ranks are
 * asked for, NULL means that there is one process alone.
 *
 * All functions but ead_ranks_leads(), ead_ranks_count() and ead_ranks_share() must be called by every rank in the
 * same order, or they wait for ever. */
#pragma once

#include "core/base/real.h"
#include "core/base/status.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct EadRanks EadRanks;
struct EadRanks {
    int rank, count; /* rank: 0 .. count - 1 */
    /* values[i] becomes the sum of all ranks' values[i], added in the order of ranks: the same bits on each. */
    void (*sum_reals)(const EadRanks *ranks, real *values, int64_t count);
    void (*sum_doubles)(const EadRanks *ranks, double *values, int64_t count);
};

/* Whether this process writes files: rank 0, or one alone. */
static inline bool ead_ranks_leads(const EadRanks *ranks) {
    return !ranks || ranks->rank == 0;
}

static inline int ead_ranks_count(const EadRanks *ranks) {
    return ranks ? ranks->count : 1;
}

/* What of a whole is a rank's: pieces first .. first + count - 1 of total. */
typedef struct EadShare {
    const EadRanks *ranks; /* NULL: there is one process alone, and the share is all */
    int first, count, total;
} EadShare;

/* The ranks' shares lie one behind the other and differ by one piece at most; with more ranks than pieces some are
 * empty. */
EadShare ead_ranks_share(const EadRanks *ranks, int total);

/* Whether it is true on any rank. */
bool ead_ranks_any(const EadRanks *ranks, bool value);

/* Waits for all, and gives EAD_OK where all brought that. Errors: the rank's own; else, where another one failed,
 * EAD_INTERRUPTED if that was stopped, EAD_OTHER_RANK if not. */
EadStatus ead_ranks_agree(const EadRanks *ranks, EadStatus status);

/* Lets rank 0 do first what the others then find done: called before and after it,
 *     EAD_TRY(ead_ranks_wait_for_first(ranks));
 *     status = ead_ranks_first_is_done(ranks, work());
 * Errors: those of ead_ranks_agree(). */
EadStatus ead_ranks_wait_for_first(const EadRanks *ranks);
EadStatus ead_ranks_first_is_done(const EadRanks *ranks, EadStatus status);
