/* A folder that is to be made, so that what this process made of its path can be taken back. */
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
