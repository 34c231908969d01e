/* Which part of a sweep a job of an array does. */
#pragma once

#include "train/support/value.h"

/* Fills in what is open in a shard (part 0, parts 0) by what the scheduler says in the environment: Slurm, SGE,
 * LSF, PBS Pro and Torque. Without a number of parts the array must be the whole one, 1 to N: a part submitted
 * again alone would do other runs. Errors: EAD_BAD_ARGUMENT, with what to set. */
EadStatus ead_job_array_shard(EadShard *shard);
