/* In place of all the others of this folder, where another compiler's OpenMP runs the regions. */
#include "core/team/team.h"

EadStatus ead_team_simulate(int members, EadTeamRecord *record) {
    (void)members, (void)record;
    return ead_fail(EAD_UNSUPPORTED,
                    "--simulate-threads: this program was built with another OpenMP than its own; "
                    "build it with GCC");
}

EadStatus ead_team_simulate_end(void) {
    return EAD_OK;
}
