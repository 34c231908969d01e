/* What the folder of a run says about it. */
#include "train/sweep/sweep.h"

#include "core/base/paths.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

const char *ead_run_state_name(EadRunState state) {
    static const char *const names[] = {"new", "started", "active", "finished", "changed"};
    return names[state];
}

static EadStatus holds(const char *folder, const char *name, bool *held) {
    char *path = ead_path_join(folder, name);
    if (!path) return EAD_NO_MEMORY;
    *held = access(path, F_OK) == 0;
    free(path);
    return EAD_OK;
}

/* The lock is held by whoever writes the log. */
static EadStatus is_active(const char *folder, bool *active) {
    char *path = ead_path_join(folder, "log.txt");
    if (!path) return EAD_NO_MEMORY;
    int file = open(path, O_RDONLY | O_CLOEXEC);
    free(path);
    *active = file >= 0 && flock(file, LOCK_EX | LOCK_NB) != 0;
    if (file >= 0) close(file);
    return EAD_OK;
}

static EadStatus compare(const char *path, const EadConfig *config, EadRunState *state) {
    EadConfig saved;
    EAD_TRY(ead_config_defaults(&saved));
    EadStatus status = ead_config_load(path, &saved);
    int key = status == EAD_OK ? ead_config_difference(&saved, config, EAD_SAME_RESULT) : -1;
    if (key >= 0) {
        *state = EAD_RUN_CHANGED;
        status = ead_config_fail_difference(&saved, config, key, path,
                                            "delete its folder, or take another --output");
        if (status == EAD_BAD_ARGUMENT) status = EAD_OK;
    }
    ead_config_free(&saved);
    return status;
}

static EadStatus state_of(const char *folder, const EadConfig *config, EadRunState *state) {
    bool checkpoint, model, metrics, report, active;
    EAD_TRY(holds(folder, "checkpoint.safetensors", &checkpoint));
    EAD_TRY(holds(folder, "model.safetensors", &model));
    EAD_TRY(holds(folder, "metrics.json", &metrics));
    EAD_TRY(holds(folder, "report.html", &report));
    EAD_TRY(is_active(folder, &active));
    *state = metrics && report ? EAD_RUN_FINISHED : checkpoint || model ? EAD_RUN_STARTED : EAD_RUN_NEW;
    if (active) *state = EAD_RUN_ACTIVE;
    if (*state == EAD_RUN_NEW || active) return EAD_OK;
    char *path = ead_path_join(folder, "config.yaml");
    EadStatus status = path ? compare(path, config, state) : EAD_NO_MEMORY;
    free(path);
    return status;
}

EadStatus ead_sweep_state(const EadSweep *sweep, const EadSweepRun *run, EadRunState *state) {
    char *folder = ead_sweep_folder(sweep, run);
    EadStatus status = folder ? state_of(folder, &run->config, state) : EAD_NO_MEMORY;
    free(folder);
    return status;
}
