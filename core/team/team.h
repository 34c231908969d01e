/* A runtime of our own for the OpenMP constructs of the sources, as GCC calls it (team_entries.c). Its waiting threads spin
 * for a moment and then sleep, whatever the environment says; in a host program it takes nothing from the host's OpenMP and
 * leaves nothing there. It knows parallel regions, loops with static and dynamic schedule, barriers and reductions; what
 * else is written in a source does not link. Another compiler's sources run on its own OpenMP (team_without.c), and so
 * do those of the static library, which shares it with the program that it is linked into.
 *
 * For the bench, a team can be simulated: one thread does the work of all, one after the other, and what each took is
 * recorded. */
#pragma once

#include "core/base/status.h"

/* What lies between two barriers: in seconds[], from `first` on, what each of the members did on its own, then the blocks
 * of dynamic loops in the order in which they are taken. */
typedef struct EadTeamSection {
    int first, members, blocks;
} EadTeamSection;

typedef struct EadTeamRecord {
    double *seconds;
    EadTeamSection *sections;
    int count, capacity, section_count, section_capacity;
    double inside; /* seconds of this thread that all regions took here, what records them included */
} EadTeamRecord;

/* From here on this thread does the parallel regions that it meets for a team of so many and appends to the record what they
 * took; a region in another goes on as usual. omp_get_max_threads() is `members`. Errors: EAD_UNSUPPORTED in a program
 * with another OpenMP; EAD_NO_MEMORY. */
EadStatus ead_team_simulate(int members, EadTeamRecord *record);

/* Ends that. Errors: EAD_NO_MEMORY, also for what was to be recorded. */
EadStatus ead_team_simulate_end(void);

/* Leaves room and forgets the rest. */
void ead_team_record_clear(EadTeamRecord *record);
void ead_team_record_free(EadTeamRecord *record);
