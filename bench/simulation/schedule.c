/* Greedy list scheduling. */
#include "bench/simulation/schedule.h"

#include <stdlib.h>
#include <string.h>

enum { MOST = 1 << 10 }; /* threads */

double ead_schedule_section(const double *own, int threads, const double *blocks, int count) {
    double free_at[MOST], end = 0;
    if (threads > MOST) threads = MOST;
    memcpy(free_at, own, (size_t)threads * sizeof *own);
    for (int b = 0; b < count; b++) {
        int first = 0;
        for (int t = 1; t < threads; t++)
            if (free_at[t] < free_at[first]) first = t;
        free_at[first] += blocks[b];
    }
    for (int t = 0; t < threads; t++)
        if (free_at[t] > end) end = free_at[t];
    return end;
}

double ead_schedule_record(const EadTeamRecord *record, double barrier) {
    double seconds = 0;
    for (int i = 0; i < record->section_count; i++) {
        const EadTeamSection *section = &record->sections[i];
        const double *own = record->seconds + section->first;
        seconds +=
            barrier + ead_schedule_section(own, section->members, own + section->members, section->blocks);
    }
    return seconds;
}
