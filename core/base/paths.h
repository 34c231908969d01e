/* Small helpers for paths: joining, and making folders. */
#pragma once

#include "core/base/status.h"

#include <stdbool.h>

/* "folder/name" in new memory that the caller frees; name alone where folder is "" or name is absolute; NULL
 * when there is no memory (then ead_fail() has been called with EAD_NO_MEMORY). */
char *ead_path_join(const char *folder, const char *name);

/* A path on the stack: nothing to free. */
enum { EAD_PATH_SIZE = 4096 };
typedef char EadPath[EAD_PATH_SIZE];

/* The same as ead_path_join(), into `path`. Errors: EAD_BAD_ARGUMENT where it is too long. */
EadStatus ead_path_in(EadPath path, const char *folder, const char *name);

/* The last part of a path: what follows the last slash. Borrowed from path. */
const char *ead_path_base(const char *path);

/* The folder that a path lies in: "a/b" of "a/b/c", "/" of "/c", "" (the current folder) of "c".
 * Errors: EAD_BAD_ARGUMENT where it is too long. */
EadStatus ead_path_folder(EadPath folder, const char *path);

/* The file of the running program. Without /proc what the kernel was told at its start counts. Errors: EAD_IO. */
EadStatus ead_program_path(EadPath path);

/* Whether a path ends in one of the extensions, given as ".tif, .tiff", in any case. */
bool ead_path_has_extension(const char *path, const char *extensions);

/* Whether path is a folder (links followed). */
bool ead_path_is_folder(const char *path);

/* Makes a folder and those above it that are missing (mkdir -p). "" is the current folder. Errors: EAD_IO,
 * with the folder that could not be made. */
EadStatus ead_make_directories(const char *path);

/* Sets *holds to whether the folder exists and holds anything (dot files count). A missing folder is empty.
 * Errors: EAD_IO where it cannot be read or is no folder. */
EadStatus ead_directory_holds_files(const char *path, bool *holds);
