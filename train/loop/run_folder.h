/* The folder that a training or distillation fills: the names in it, and what must hold before one starts. */
#ifndef EAD_TRAIN_RUN_FOLDER_H
#define EAD_TRAIN_RUN_FOLDER_H

#include "core/base/status.h"

#include <stdbool.h>

typedef struct EadRunFolder {
    const char *path;                           /* borrowed */
    char *config, *model, *checkpoint, *losses; /* paths of the files, owned */
} EadRunFolder;

/* Names the files; makes nothing. model_name: "model.safetensors". Free in every case. Errors: EAD_NO_MEMORY.
 */
EadStatus ead_run_folder_name(EadRunFolder *folder, const char *path, const char *model_name);
void ead_run_folder_free(EadRunFolder *folder);

/* Errors: EAD_BAD_ARGUMENT if the folder holds a run already and this one is not to resume it. */
EadStatus ead_run_folder_check(const EadRunFolder *folder, bool resume);

/* Whether there is a checkpoint to resume from; says on stderr where there is none. */
bool ead_run_folder_resumes(const EadRunFolder *folder, bool resume);

/* Makes the folder, and removes what killed processes left in it. Errors: EAD_IO. */
EadStatus ead_run_folder_make(const EadRunFolder *folder);

/* Writes the effective config. Errors: EAD_IO. */
EadStatus ead_run_folder_write_config(const EadRunFolder *folder, const char *config_text);

#endif
