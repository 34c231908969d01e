/* How long other numbers of threads would take for what one thread was recorded doing: a schedule on paper. */
#pragma once

#include "core/team/team.h"

/* Seconds from barrier to barrier. Each of the threads first does its own part, own[threads]; then whoever is free takes the
 * next of the blocks [count], as a dynamic loop hands them out; the section lasts until the last is done. */
double ead_schedule_section(const double *own, int threads, const double *blocks, int count);

/* Seconds of all sections of a record, each with a barrier of so many seconds at its end. Errors leave no trace: the record's
 * members are the threads. */
double ead_schedule_record(const EadTeamRecord *record, double barrier);
