/* The record of a simulated team. */
#include "core/team/team.h"

#include <stdlib.h>

void ead_team_record_clear(EadTeamRecord *record) {
    record->count = record->section_count = 0;
    record->inside = 0;
}

void ead_team_record_free(EadTeamRecord *record) {
    free(record->seconds);
    free(record->sections);
    *record = (EadTeamRecord){0};
}
