/* Which part of a sweep a job of an array does. */
#pragma once

#include "train/support/value.h"

/* Fills in what is open in a shard (part 0, parts 0) by what the scheduler says in the environment: Slurm,
 * SGE, LSF, PBS Pro and Torque. begun_in: the number of parts of an earlier start of the sweep, 0 if it had
 * none or that is not known. Without a number of parts the array must be the whole one, 1 to N, and N that of
 * the earlier start: a part submitted again alone would do other runs. Errors: EAD_BAD_ARGUMENT, with what to
 * set. */
EadStatus ead_job_array_shard(int begun_in, EadShard *shard);
