/* The variables of schedulers. */
#include "train/sweep/job_array.h"

#include <errno.h>
#include <stdlib.h>

/* How a scheduler tells a job its place in its array; NULL: it does not. lowest: less is no array's. */
typedef struct ArrayVariables {
    const char *name, *part, *first, *last, *step, *count;
    long lowest;
} ArrayVariables;

static const ArrayVariables schedulers[] = {
    {"Slurm", "SLURM_ARRAY_TASK_ID", "SLURM_ARRAY_TASK_MIN", "SLURM_ARRAY_TASK_MAX", "SLURM_ARRAY_TASK_STEP",
     "SLURM_ARRAY_TASK_COUNT", 0},
    {"SGE", "SGE_TASK_ID", "SGE_TASK_FIRST", "SGE_TASK_LAST", "SGE_TASK_STEPSIZE", NULL, 1},
    {"LSF", "LSB_JOBINDEX", NULL, NULL, NULL, NULL, 1}, /* 0 in every job outside of arrays */
    {"PBS", "PBS_ARRAY_INDEX", NULL, NULL, NULL, NULL, 0},
    {"Torque", "PBS_ARRAYID", NULL, NULL, NULL, NULL, 0},
};

/* The whole number in a variable, or -1: SGE says "undefined" outside of arrays. */
static long number_in(const char *variable) {
    const char *text = variable ? getenv(variable) : NULL;
    char *end;
    if (!text || *text < '0' || *text > '9') return -1;
    errno = 0;
    long number = strtol(text, &end, 10);
    return *end == '\0' && errno == 0 ? number : -1;
}

/* N of an array of exactly 1 to N, else -1: a list such as 2,5 has fewer jobs than its limits say. */
static long length_of(const ArrayVariables *scheduler) {
    long last = number_in(scheduler->last), step = number_in(scheduler->step),
         count = number_in(scheduler->count);
    bool whole = number_in(scheduler->first) == 1 && step <= 1 && (!scheduler->count || count == last);
    return whole ? last : -1;
}

EadStatus ead_job_array_shard(int begun_in, EadShard *shard) {
    size_t known = sizeof schedulers / sizeof *schedulers, i = 0;
    if (shard->part > 0) return EAD_OK;
    while (i < known && number_in(schedulers[i].part) < schedulers[i].lowest) i++;
    if (i == known)
        return ead_fail(EAD_BAD_ARGUMENT,
                        "--shard array: this is not a job of an array (Slurm, SGE, LSF, PBS); "
                        "submit it as one, or say the part: --shard 2/8");
    const ArrayVariables *scheduler = &schedulers[i];
    long part = number_in(scheduler->part), parts = shard->parts > 0 ? shard->parts : length_of(scheduler);
    if (parts < 1 && begun_in > 1) parts = begun_in;
    if (shard->parts < 1 && begun_in > 1 && parts != begun_in)
        return ead_fail(
            EAD_BAD_ARGUMENT,
            "--shard array: the sweep was begun in %d parts, and this %s array has %ld; to do some of them "
            "again: --shard array/%d (with configs/sweep.sbatch: PARTS=%d sbatch ...); to divide the sweep "
            "anew: "
            "--shard array/%ld",
            begun_in, scheduler->name, parts, begun_in, begun_in, parts);
    if (parts < 1)
        return ead_fail(
            EAD_BAD_ARGUMENT,
            "--shard array: the %s array of job %ld is not seen to go from 1 to N in steps of 1, so the "
            "number of parts is not known; set it as in the first submission: --shard array/N (with "
            "configs/sweep.sbatch: PARTS=N sbatch ...)",
            scheduler->name, part);
    if (part < 1 || part > parts)
        return ead_fail(
            EAD_BAD_ARGUMENT,
            "--shard array: there is no part %ld of %ld; the parts are 1 to %ld, number the %s array so "
            "(%s=%ld)",
            part, parts, parts, scheduler->name, scheduler->part, part);
    *shard = (EadShard){(int)part, (int)parts};
    return EAD_OK;
}
