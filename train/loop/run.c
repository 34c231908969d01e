/* Plan options, names, checks and the first file of a run folder. */
#include "train/loop/run.h"

#include "core/base/printing.h"
#include "core/backend/backend.h"
#include "core/base/atomic_file.h"
#include "core/base/paths.h"
#include "core/file/file_role.h"
#include "core/file/safetensors.h"

#include <stdio.h>
#include <unistd.h>

EAD_SAME_VALUE(EAD_PRECISION_CHOICE_FP32, EAD_PRECISION_FP32);
EAD_SAME_VALUE(EAD_PRECISION_CHOICE_TF32, EAD_PRECISION_TF32);
EAD_SAME_VALUE(EAD_PRECISION_CHOICE_BF16, EAD_PRECISION_BF16);
EAD_SAME_VALUE(EAD_PRECISION_CHOICE_FP16, EAD_PRECISION_FP16);
EAD_SAME_VALUE(EAD_PRECISION_CHOICE_AUTO, EAD_PRECISION_AUTO);

EadPlanOptions ead_run_plan_options(const EadRunSpec *spec) {
    return (EadPlanOptions){.backend = spec->backend,
                            .precision = (EadPrecision)spec->config->train_precision,
                            .no_capture = spec->no_capture,
                            .streams = spec->streams,
                            .print = ead_debug("graph") ? stderr : NULL};
}

const char *ead_run_precision_name(const EadRunSpec *spec) {
    return ead_precision_name(
        ead_precision_resolve(spec->backend, (EadPrecision)spec->config->train_precision, true));
}

int64_t ead_run_drop_step(double share, int64_t steps) {
    if (share >= 1) return -1;
    return (int64_t)(share * (double)steps + 1e-6); /* a share such as 0.29 is a little less than it says */
}

/* ---- the folder ---- */

EadStatus ead_run_folder_name(EadRunFolder *folder, const char *path, const char *model_name) {
    folder->path = path;
    EAD_TRY(ead_path_in(folder->config, path, "config.yaml"));
    EAD_TRY(ead_path_in(folder->model, path, model_name));
    EAD_TRY(ead_path_in(folder->checkpoint, path, "checkpoint.safetensors"));
    EAD_TRY(ead_path_in(folder->validation, path, "validation.csv"));
    EAD_TRY(ead_path_in(folder->test, path, "test.csv"));
    return ead_path_in(folder->losses, path, "losses.csv");
}

static bool exists(const char *path) {
    return access(path, F_OK) == 0;
}

EadStatus ead_run_folder_check(EadRunFolder *folder, bool resume) {
    if (!folder->lock.path && ead_path_is_folder(folder->path))
        EAD_TRY(ead_folder_lock_take(folder->path, &folder->lock));
    return ead_run_folder_check_new(folder, resume);
}

EadStatus ead_run_folder_check_new(const EadRunFolder *folder, bool resume) {
    if (resume || (!exists(folder->checkpoint) && !exists(folder->model))) return EAD_OK;
    return ead_fail(EAD_BAD_ARGUMENT,
                    "%s: holds a run already; continue it with --resume, or choose another --output",
                    folder->path);
}

/* Whether a finished run left its model, as far as can be told without reading all of it. */
static bool holds_model(const EadRunFolder *folder) {
    EadSafetensors *file = NULL;
    bool found = ead_file_role(folder->model) == EAD_ROLE_MODEL &&
                 ead_safetensors_open_header(folder->model, &file) == EAD_OK;
    ead_safetensors_close(file);
    return found;
}

const char *ead_run_folder_start(const EadRunFolder *folder, bool resume) {
    if (!resume) return NULL;
    if (exists(folder->checkpoint)) return folder->checkpoint;
    if (holds_model(folder)) return folder->model;
    ead_print(stderr, "no checkpoint in %s%s: starting at step 1\n", folder->path,
              exists(folder->model) ? ", and its model cannot be read" : "");
    return NULL;
}

EadStatus ead_run_folder_make(EadRunFolder *folder) {
    EAD_TRY(ead_make_directories(folder->path));
    /* Not there at first: another process may have made it since, and a run in it. */
    return folder->lock.path ? EAD_OK : ead_run_folder_check(folder, false);
}

void ead_run_folder_release(EadRunFolder *folder) {
    ead_file_lock_release(&folder->lock);
}

EadStatus ead_run_folder_write_config(const EadRunFolder *folder, const char *config_text) {
    return ead_atomic_file_write_text(folder->config, config_text);
}
