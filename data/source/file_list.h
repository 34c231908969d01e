/* A growable list of owned strings, mostly paths, and the recursive search of folders. */
#ifndef EAD_DATA_FILE_LIST_H
#define EAD_DATA_FILE_LIST_H

#include "core/base/status.h"

#include <stdbool.h>

typedef struct EadFileList {
    char **paths; /* [count], owned */
    int count, capacity;
} EadFileList;

/* Appends a copy of path. Errors: EAD_NO_MEMORY. */
EadStatus ead_file_list_add(EadFileList *list, const char *path);

/* Whether a file of that name is to be listed. */
typedef bool EadFileWanted(const char *name);

/* Appends every file below folder that `wanted` wants, sorted bytewise by path and so the same on every
 * machine. Links are followed, but not back into a folder on the way down; hidden files and folders (a
 * leading dot) are skipped. An empty folder adds nothing.
 * Errors: EAD_IO (no such folder, not readable, a wanted file that is a dead link), EAD_BAD_FILE (more than
 * 64 folders deep), EAD_NO_MEMORY. */
EadStatus ead_file_list_add_tree(EadFileList *list, const char *folder, EadFileWanted *wanted);

/* The same for images: .png .jpg .jpeg in any case. */
EadStatus ead_file_list_add_images(EadFileList *list, const char *folder);

/* Appends the names (not paths) of the folders in folder, sorted bytewise, hidden ones left out.
 * Errors: EAD_IO, EAD_NO_MEMORY. */
EadStatus ead_file_list_add_folder_names(EadFileList *list, const char *folder);

/* Sorts bytewise. */
void ead_file_list_sort(EadFileList *list);

/* The index of path in a sorted list, or -1. */
int ead_file_list_find(const EadFileList *list, const char *path);

/* Frees everything and leaves an empty list; harmless on an empty (zeroed) one. */
void ead_file_list_free(EadFileList *list);

#endif
