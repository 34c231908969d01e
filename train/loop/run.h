/* What a run is asked for, and the folder that it fills. */
#pragma once

#include "core/base/paths.h"
#include "core/plan/plan.h"
#include "core/ranks/ranks.h"
#include "core/system/file_lock.h"
#include "train/config/config.h"

typedef struct EadRunSpec {
    const EadConfig *config; /* complete and checked for what is run */
    const EadBackend *backend;
    bool no_capture;   /* see EadPlanOptions */
    int streams;       /* see EadPlanOptions */
    bool resume;       /* go on from the run folder's checkpoint or model; without one, start from step 1 */
    bool quiet;        /* no progress line */
    bool dry_run;      /* only say on stdout what it would take; of a fit that can */
    double minutes;    /* pick the number of steps so that the run ends in about that time; 0: the config's */
    const bool *given; /* [EAD_CONFIG_KEYS] set on the command line, which minutes must not change; or NULL */
    const EadRanks *ranks; /* that compute the run together, each with a spec like this; NULL: one process */
    FILE *messages;        /* for what concerns this rank's share alone; NULL: stderr */
} EadRunSpec;

/* How its steps are planned. */
EadPlanOptions ead_run_plan_options(const EadRunSpec *spec);

/* The name of the precision in which they multiply, "auto" resolved. */
const char *ead_run_precision_name(const EadRunSpec *spec);

/* The steps after which the learning rate drops: a share of all, in [0,1]; -1 (never) if that is all. */
int64_t ead_run_drop_step(double share, int64_t steps);

typedef struct EadRunFolder {
    const char *path; /* borrowed */
    EadPath config, model, checkpoint, losses, validation, test;
    EadFileLock lock; /* against a second run there */
} EadRunFolder;

/* Names the files; makes nothing. model_name: "model.safetensors". Errors: EAD_BAD_ARGUMENT, a long path. */
EadStatus ead_run_folder_name(EadRunFolder *folder, const char *path, const char *model_name);

/* Locks the folder where it is there already, and checks what it holds. Errors: EAD_BAD_ARGUMENT if that is a run and
 * this one is not to resume it; EAD_BUSY if another process works there; EAD_IO. */
EadStatus ead_run_folder_check(EadRunFolder *folder, bool resume);

/* The second half of that. */
EadStatus ead_run_folder_check_new(const EadRunFolder *folder, bool resume);

/* What a run to be resumed goes on from: its checkpoint, or where it is finished and kept only that, its model; NULL:
 * nothing, which is said on stderr. */
const char *ead_run_folder_start(const EadRunFolder *folder, bool resume);

/* Makes and locks the folder. Errors: EAD_IO, EAD_BUSY. */
EadStatus ead_run_folder_make(EadRunFolder *folder);

/* Gives the lock back; harmless on a zeroed folder. */
void ead_run_folder_release(EadRunFolder *folder);

/* Writes the effective config. Errors: EAD_IO. */
EadStatus ead_run_folder_write_config(const EadRunFolder *folder, const char *config_text);
