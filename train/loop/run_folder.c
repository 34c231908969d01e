/* Names, checks and the first file of a run folder. */
#include "train/loop/run_folder.h"

#include "core/base/atomic_file.h"
#include "core/base/paths.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

EadStatus ead_run_folder_name(EadRunFolder *folder, const char *path, const char *model_name) {
    *folder = (EadRunFolder){.path = path};
    folder->config = ead_path_join(path, "config.yaml");
    folder->model = ead_path_join(path, model_name);
    folder->checkpoint = ead_path_join(path, "checkpoint.safetensors");
    folder->losses = ead_path_join(path, "losses.csv");
    bool named = folder->config && folder->model && folder->checkpoint && folder->losses;
    return named ? EAD_OK : EAD_NO_MEMORY;
}

void ead_run_folder_free(EadRunFolder *folder) {
    free(folder->config);
    free(folder->model);
    free(folder->checkpoint);
    free(folder->losses);
    *folder = (EadRunFolder){0};
}

static bool exists(const char *path) {
    return access(path, F_OK) == 0;
}

EadStatus ead_run_folder_check(const EadRunFolder *folder, bool resume) {
    if (resume || (!exists(folder->checkpoint) && !exists(folder->model))) return EAD_OK;
    return ead_fail(EAD_BAD_ARGUMENT,
                    "%s: holds a run already; continue it with --resume, or choose another --output",
                    folder->path);
}

bool ead_run_folder_resumes(const EadRunFolder *folder, bool resume) {
    bool found = resume && exists(folder->checkpoint);
    if (resume && !found) fprintf(stderr, "no checkpoint in %s: starting at step 1\n", folder->path);
    return found;
}

EadStatus ead_run_folder_make(const EadRunFolder *folder) {
    EAD_TRY(ead_make_directories(folder->path));
    ead_atomic_file_sweep(folder->path);
    return EAD_OK;
}

EadStatus ead_run_folder_write_config(const EadRunFolder *folder, const char *config_text) {
    EadAtomicFile file;
    EAD_TRY(ead_atomic_file_open(&file, folder->config));
    fputs(config_text, file.stream);
    return ead_atomic_file_commit(&file);
}
