/* Files that appear under their final name complete or not at all: written to "<path>.tmp-<pid>-<n>" beside
 * the target, flushed, synced and renamed over it. A crash, a full disk or an error costs the new file, never
 * the previous one. */
#pragma once

#include "core/base/status.h"

#include <stdio.h>

typedef struct EadAtomicFile {
    FILE *stream;    /* write here; errors may be left to commit(), which checks ferror() */
    char *path;      /* final name */
    char *temporary; /* present name */
} EadAtomicFile;

/* Opens the temporary file for reading and writing in binary. Errors: EAD_IO, EAD_NO_MEMORY. */
EadStatus ead_atomic_file_open(EadAtomicFile *file, const char *path);

/* Flushes, syncs, closes and renames. On any failure the temporary file is removed and EAD_IO returned. The
 * struct is empty afterwards either way. */
EadStatus ead_atomic_file_commit(EadAtomicFile *file);

/* Writes a text as such a file, complete or not at all. Errors: those of open and commit. */
EadStatus ead_atomic_file_write_text(const char *path, const char *text);

/* Closes and removes the temporary file; harmless on an empty (zeroed) or committed struct. */
void ead_atomic_file_discard(EadAtomicFile *file);

/* Removes the temporary files that killed processes left in a folder. Only for folders that no other process
 * writes to, since those of the living look the same. What cannot be removed stays. */
void ead_atomic_file_sweep(const char *folder);
