/* Listing the files of folders. */
#ifndef EAD_DATA_FILE_LIST_H
#define EAD_DATA_FILE_LIST_H

#include "core/base/string_list.h"

#include <stdbool.h>

/* Whether a file of that name is to be listed. */
typedef bool EadFileWanted(const char *name);

/* Appends every file below folder that `wanted` wants, sorted bytewise by path and so the same on every
 * machine. Links are followed, but not back into a folder on the way down; hidden files and folders (a
 * leading dot) are skipped. An empty folder adds nothing.
 * Errors: EAD_IO (no such folder, not readable, a wanted file that is a dead link), EAD_BAD_FILE (more than
 * 64 folders deep), EAD_NO_MEMORY. */
EadStatus ead_list_files(EadStringList *list, const char *folder, EadFileWanted *wanted);

/* The same for images: the extensions of data/codec, in any case. */
EadStatus ead_list_images(EadStringList *list, const char *folder);

/* Appends the names (not paths) of the folders in folder, sorted bytewise, hidden ones left out.
 * Errors: EAD_IO, EAD_NO_MEMORY. */
EadStatus ead_list_folders(EadStringList *list, const char *folder);

#endif
