/* The files of a watched folder, by path: what is known of each, so that none is taken twice, or before it is whole. */
#pragma once

#include "core/base/status.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

typedef struct EadKnownFile {
    char *path;              /* owned */
    int64_t bytes, modified; /* ns since 1970; a change of either makes it a new image */
    double since;            /* when it was seen first, or to have changed; ead_clock_seconds() */
    uint32_t round;          /* of the last search that saw it */
    bool taken;              /* in the queue, in work, or done; else it is waited for */
    bool created;            /* known by its creation alone: who made it may be about to write */
    bool steady;             /* a search found it as the one before did */
} EadKnownFile;

/* Zeroed: empty. */
typedef struct EadKnownFiles {
    EadKnownFile **slots; /* [capacity], NULL: free */
    int capacity, count;
} EadKnownFiles;

/* NULL: it is not known. */
EadKnownFile *ead_known_files_find(const EadKnownFiles *files, const char *path);

/* The same, made if need be, zeroed but for its path. Errors: EAD_NO_MEMORY. */
EadStatus ead_known_files_take(EadKnownFiles *files, const char *path, EadKnownFile **out);

/* Harmless where it is not known. Pointers to others stay. */
void ead_known_files_forget(EadKnownFiles *files, const char *path);

void ead_known_files_free(EadKnownFiles *files);

/* Nanoseconds since 1970; and those of st_mtim. */
int64_t ead_nanoseconds(struct timespec time);
int64_t ead_modified(const struct stat *info);
