/* What the kernel tells of folders (inotify): files that were closed after writing, moved in, made, or taken away. */
#pragma once

#include "core/base/paths.h"

typedef enum EadFolderChange {
    EAD_FOLDER_CLOSED, /* a file was closed by one who could write, or moved here: it is whole */
    EAD_FOLDER_CREATED, /* a name appeared: of a file that will be written, or of one that is whole (a hard link) */
    EAD_FOLDER_REMOVED, /* a name went */
    EAD_FOLDER_ADDED,   /* a folder appeared */
    EAD_FOLDER_UNKNOWN  /* events were lost, or a folder was moved or removed: all must be looked through */
} EadFolderChange;

typedef struct EadFolderEvent {
    EadFolderChange change;
    EadPath path;
} EadFolderEvent;

typedef struct EadFolderEvents EadFolderEvents;

/* Errors: EAD_IO, EAD_NO_MEMORY. */
EadStatus ead_folder_events_open(EadFolderEvents **out);
void ead_folder_events_close(EadFolderEvents *events); /* harmless on NULL */

/* To be polled. */
int ead_folder_events_descriptor(const EadFolderEvents *events);

/* Tells of this folder from now on, too; one that is known gets its present path. Errors: EAD_IO, with the cure where there are too many. */
EadStatus ead_folder_events_add(EadFolderEvents *events, const char *folder);

/* The next event; false: there is none now. */
bool ead_folder_events_next(EadFolderEvents *events, EadFolderEvent *event);
