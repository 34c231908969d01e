/* Files that appear under their final name complete or not at all: written without a name into the folder of
 * the target, flushed, synced and named; one that exists is replaced by a rename. A crash, a full disk or an
 * error costs the new file, never the previous one, and leaves nothing behind, with one exception: what is to
 * be renamed, and all on file systems without O_TMPFILE, has a hidden name, ".efficientad-....tmp", which
 * outlives a process that is killed in that moment. The next that writes into the folder removes it: such a
 * file is locked while its process lives.
 *
 * A target that exists keeps owner, group, mode and access list (ACL); a link stays and what it leads to is
 * replaced; a FIFO, a terminal, a device of characters or our own standard output gets the bytes when all are
 * there. */
#pragma once

#include "core/base/paths.h"
#include "core/base/status.h"

#include <stdbool.h>
#include <stdio.h>

typedef struct EadAtomicFile {
    FILE *stream;    /* write here; errors may be left to commit(), which checks ferror() */
    FILE *through;   /* what gets the bytes in the end if that is no regular file, else NULL */
    char *path;      /* final name, links followed */
    char *temporary; /* its name before; NULL with `through` */
    bool named;      /* whether it has that name now */
} EadAtomicFile;

/* Opens the temporary file for reading and writing in binary. Errors: EAD_IO, also for folders, disks, what
 * nobody reads from, files mounted by themselves, and owners that cannot be kept; EAD_BAD_ARGUMENT for a path
 * that is too long; EAD_NO_MEMORY. The struct is empty then. */
EadStatus ead_atomic_file_open(EadAtomicFile *file, const char *path);

/* Whether files can be made in a folder, by making one under a hidden name; nothing of it stays. Errors: EAD_IO,
 * EAD_NO_MEMORY. */
EadStatus ead_atomic_file_try(const char *folder);

/* Flushes, and gives a path by which what is written so far can be read, in this process. Errors: EAD_IO,
 * also where the target is no regular file. */
EadStatus ead_atomic_file_readable(EadAtomicFile *file, EadPath path);

/* Flushes, syncs, closes and renames. On any failure the temporary file is removed and EAD_IO returned; where
 * only the folder could not be synced, the file is there and the message says so. The struct is empty
 * afterwards either way. */
EadStatus ead_atomic_file_commit(EadAtomicFile *file);

/* Writes a text as such a file, complete or not at all. Errors: those of open and commit. */
EadStatus ead_atomic_file_write_text(const char *path, const char *text);

/* Closes and removes the temporary file; harmless on an empty (zeroed) or committed struct. */
void ead_atomic_file_discard(EadAtomicFile *file);

/* A rename is durable only once the folder that holds the name is synced. Errors: EAD_IO, with what it
 * means. */
EadStatus ead_sync_folder_of(const char *path);
