/* The ranks among which this process was started: by mpirun or srun, where the program was built with MPI
 * (train/ranks/ranks_mpi.c; the build takes ranks_alone.c instead where it was not). */
#pragma once

#include "core/ranks/ranks.h"

#include <stdio.h>

/* Finds the other ranks. From then on what others than rank 0 print goes nowhere, but for what ead_ranks_messages()
 * and ead_ranks_speaker() are for. Errors: EAD_UNSUPPORTED where mpirun started several processes of a program that
 * was built without MPI. */
EadStatus ead_ranks_start(void);

/* NULL: one process alone. */
const EadRanks *ead_ranks(void);

/* How many ranks, this one included, may use the same processors; 1 where each has its own. */
int ead_ranks_sharers(void);

/* For messages about this rank's share alone: the stderr of each rank. */
FILE *ead_ranks_messages(void);

/* The name to put before the message of a failure, with a colon and a space: "" for rank 0 or a process alone, else
 * "rank 2 of 4 on node17: "; stderr then leads to the user again. NULL: another rank tells it, rank 0 what all found wrong. */
const char *ead_ranks_speaker(EadStatus status);

/* To be called last, with how the work ended and the exit code of the process, which it returns. A failure ends the
 * other ranks too. */
int ead_ranks_end(EadStatus status, int code);

/* What --backends says of it: "" or ", MPI". */
const char *ead_ranks_kind(void);
