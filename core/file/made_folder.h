/* Folders that are to be made, so that what this process made of their paths can be taken back. */
#pragma once

#include "core/base/paths.h"

typedef struct EadMadeFolder {
    EadPath path; /* "": nothing is to be taken back */
    size_t there; /* bytes of the path that were there before; all: the folder was */
} EadMadeFolder;

/* Notes what of a path is there, before it is made. Errors: EAD_BAD_ARGUMENT, a long path. */
EadStatus ead_made_folder_note(EadMadeFolder *made, const char *path);

/* Whether the folder was there before; a zeroed one was. */
bool ead_made_folder_was_there(const EadMadeFolder *made);

/* Removes the folder and those above it that were not there before, as far as nothing is in them. Leaves the thread's
 * message as it is. */
void ead_made_folder_take_back(const EadMadeFolder *made);

/* Folders that are made when they are needed, by several threads. */
typedef struct EadMadeFolders EadMadeFolders;

/* Errors: EAD_NO_MEMORY. */
EadStatus ead_made_folders_new(EadMadeFolders **out);

/* ead_make_directories(), and notes what it makes. */
EadStatus ead_made_folders_make(EadMadeFolders *made, const char *path);

/* Removes those that were made and are empty, and frees the list; harmless on NULL. Leaves the thread's message as it
 * is. */
void ead_made_folders_end(EadMadeFolders *made);
