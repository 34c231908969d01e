/* A lock that one process holds as long as it works on files that two must not write at once. It is a file of
 * its own, locked by flock(), which ends with the process however that ends. On a file system without flock()
 * (some NFS, Lustre, FUSE) the file itself is the lock: made exclusively, it names host, process and the time
 * that the process began; one of a process that is dead is taken over on the same host, and on another host
 * nobody can know. One that names a living process of this host is honoured where flock() works too, for it may
 * not have worked for that process. The file goes with the lock, but for a killed process; it is then locked again. */
#pragma once

#include "core/base/status.h"

#include <stdbool.h>

/* Zeroed: nothing is held. */
typedef struct EadFileLock {
    char *path; /* NULL: nothing is held */
    int descriptor;
    bool of_parent; /* held by the process that started this one, and shared */
} EadFileLock;

/* Takes the lock, without waiting. A lock of the parent process is shared: so a program that starts itself
 * again hands it on. what: the thing that the lock guards, for messages ("runs/mine"). Errors: EAD_BUSY, with
 * the process that holds it and what to do; EAD_IO where the file cannot be made; EAD_BAD_FILE where a file
 * of that name is no lock; EAD_NO_MEMORY. */
EadStatus ead_file_lock_take(const char *path, const char *what, EadFileLock *lock);

/* The same for a folder, which must exist: the file ".lock" in it. */
EadStatus ead_folder_lock_take(const char *folder, EadFileLock *lock);

/* Lets the programs that this process becomes, or starts, hold the lock too until they end. To be called in a
 * child, between fork() and exec(). */
void ead_file_lock_pass_on(const EadFileLock *lock);

/* Gives it back; harmless on a zeroed one. A lock of the parent stays. */
void ead_file_lock_release(EadFileLock *lock);

/* Whether a process holds a folder's lock; also true where that cannot be told (see above). Removes that of a
 * dead process. */
bool ead_folder_lock_is_held(const char *folder);
