/* Small helpers for paths: joining, and making folders. */
#ifndef EAD_TRAIN_PATHS_H
#define EAD_TRAIN_PATHS_H

#include "core/status.h"

#include <stdbool.h>

/* "folder/name" in new memory that the caller frees; name alone where folder is "" or name is absolute; NULL
 * when there is no memory (then ead_fail() has been called with EAD_NO_MEMORY). */
char *ead_join_path(const char *folder, const char *name);

/* Makes a folder and those above it that are missing (mkdir -p). "" is the current folder. Errors: EAD_IO,
 * with the folder that could not be made. */
EadStatus ead_make_directories(const char *path);

/* Sets *holds to whether the folder exists and holds anything (dot files count). A missing folder is empty.
 * Errors: EAD_IO where it cannot be read or is no folder. */
EadStatus ead_directory_holds_files(const char *path, bool *holds);

#endif
