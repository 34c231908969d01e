/* What a training and a distillation are asked for in the same way, and how a command line asks. */
#ifndef EAD_TRAIN_RUN_SPEC_H
#define EAD_TRAIN_RUN_SPEC_H

#include "core/plan/plan.h"
#include "train/cli/arguments.h"
#include "train/config/config.h"

typedef struct EadRunSpec {
    const EadConfig *config; /* complete and checked for what is run */
    const EadBackend *backend;
    bool no_capture; /* see EadPlanOptions */
    int streams;     /* see EadPlanOptions */
    bool resume;     /* continue from the run folder's checkpoint; without one, start from step 1 */
    bool quiet;      /* no progress line */
} EadRunSpec;

/* How its step is planned. */
EadPlanOptions ead_run_plan_options(const EadRunSpec *spec);

/* The steps after which the learning rate drops, of a run of `steps`: a share of them, in [0,1]; -1 (never)
 * if that is all. */
int64_t ead_run_drop_step(double share, int64_t steps);

/* The command: makes the config, checks it, and runs. Errors: those of all three. */
EadStatus ead_run_by_command(const EadArguments *arguments, EadStatus (*check)(const EadConfig *config),
                             EadStatus (*run)(const EadRunSpec *spec));

#endif
