/* What ranks agree on, by sums. */
#include "core/ranks/ranks.h"

#include <stddef.h>

EadShare ead_ranks_share(const EadRanks *ranks, int total) {
    if (!ranks) return (EadShare){NULL, 0, total, total};
    int first = (int)((int64_t)total * ranks->rank / ranks->count),
        end = (int)((int64_t)total * (ranks->rank + 1) / ranks->count);
    return (EadShare){ranks, first, end - first, total};
}

bool ead_ranks_any(const EadRanks *ranks, bool value) {
    double sum = value;
    if (ranks) ranks->sum_doubles(ranks, &sum, 1);
    return sum > 0;
}

EadStatus ead_ranks_agree(const EadRanks *ranks, EadStatus status) {
    double failed[] = {status != EAD_OK, status != EAD_OK && status != EAD_INTERRUPTED};
    if (ranks) ranks->sum_doubles(ranks, failed, 2);
    if (status != EAD_OK || failed[0] == 0) return status;
    return failed[1] > 0 ? ead_fail(EAD_OTHER_RANK, "another rank failed")
                         : ead_fail(EAD_INTERRUPTED, "another rank was stopped");
}

EadStatus ead_ranks_wait_for_first(const EadRanks *ranks) {
    return ead_ranks_leads(ranks) ? EAD_OK : ead_ranks_agree(ranks, EAD_OK);
}

EadStatus ead_ranks_first_is_done(const EadRanks *ranks, EadStatus status) {
    return ead_ranks_leads(ranks) ? ead_ranks_agree(ranks, status) : status;
}
