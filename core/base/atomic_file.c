/* Open without a name, write, sync, name, rename. */
#define _GNU_SOURCE /* O_TMPFILE, memfd_create, statx */
#include "core/base/atomic_file.h"

#include "core/base/memory.h"
#include "core/base/paths.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

enum { MAX_LINKS = 40, LINK_SIZE = 32, DIGITS = 32 };

/* The hidden name of a file on its way: these around 128 random bits in hexadecimal digits. */
static const char HIDDEN[] = ".efficientad-", ENDING[] = ".tmp";

/* ---- the target ---- */

/* What a path names in the end. False, and errno, where that cannot be told. */
static bool follow_links(EadPath path) {
    EadPath folder, link;
    for (int i = 0; i < MAX_LINKS; i++) {
        ssize_t length = readlink(path, link, sizeof link - 1);
        if (length < 0) return errno == EINVAL || errno == ENOENT; /* no link, or nothing yet */
        link[length] = '\0';
        errno = ENAMETOOLONG;
        if (ead_path_folder(folder, path) != EAD_OK || ead_path_in(path, folder, link) != EAD_OK)
            return false;
    }
    errno = ELOOP;
    return false;
}

/* Opens a FIFO, a terminal or the like, or what our own output goes to. NULL and errno where that fails. */
static FILE *open_through(const char *path, int own) {
    /* A FIFO that nobody reads must not make us wait. */
    int descriptor =
        own ? fcntl(own, F_DUPFD_CLOEXEC, 3) : open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (descriptor < 0) return NULL;
    if (!own) fcntl(descriptor, F_SETFL, O_WRONLY); /* writing waits */
    FILE *stream = fdopen(descriptor, "wb");
    if (!stream) close(descriptor);
    return stream;
}

/* Descriptor 1 or 2 if it leads to the file; else 0. */
static int own_output(const struct stat *info) {
    struct stat own;
    for (int i = STDOUT_FILENO; i <= STDERR_FILENO; i++)
        if (fstat(i, &own) == 0 && own.st_dev == info->st_dev && own.st_ino == info->st_ino) return i;
    return 0;
}

/* ---- what killed processes left ---- */

static bool is_hidden_name(const char *name) {
    const char *digits = name + strlen(HIDDEN);
    return strncmp(name, HIDDEN, strlen(HIDDEN)) == 0 && strspn(digits, "0123456789abcdef") == DIGITS &&
           strcmp(digits + DIGITS, ENDING) == 0;
}

/* Removes a file with a hidden name if it is ours to remove and nobody that lives holds its lock. Where files
 * cannot be locked nothing is removed. */
static void remove_leftover(int folder, const char *name) {
    struct stat info;
    int descriptor = openat(folder, name, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (descriptor < 0) return;
    if (fstat(descriptor, &info) == 0 && S_ISREG(info.st_mode) && info.st_uid == geteuid() &&
        flock(descriptor, LOCK_EX | LOCK_NB) == 0)
        unlinkat(folder, name, 0);
    close(descriptor);
}

/* Looks through a folder when a thread first writes there after having written elsewhere. */
static void remove_leftovers(const char *path) {
    static _Thread_local dev_t device;
    static _Thread_local ino_t inode;
    struct stat info;
    DIR *folder = opendir(path);
    if (folder && fstat(dirfd(folder), &info) == 0 && (info.st_dev != device || info.st_ino != inode)) {
        for (struct dirent *entry; (entry = readdir(folder));)
            if (is_hidden_name(entry->d_name)) remove_leftover(dirfd(folder), entry->d_name);
        device = info.st_dev;
        inode = info.st_ino;
    }
    if (folder) closedir(folder);
}

/* ---- opening ---- */

static EadStatus fail(const char *path) {
    return ead_fail(EAD_IO, "%s: cannot write: %s", path, strerror(errno ? errno : EIO));
}

static void forget(EadAtomicFile *file) {
    free(file->path);
    free(file->temporary);
    *file = (EadAtomicFile){0};
}

/* A hidden name in the folder, of 128 bits that nobody can guess. Its length does not depend on the name of
 * the file, which may be as long as a name can be. */
static EadStatus name_temporary(EadAtomicFile *file, const char *folder) {
    uint64_t bits[2];
    char name[64];
    if (getrandom(bits, sizeof bits, 0) != sizeof bits) return fail(file->path);
    snprintf(name, sizeof name, "%s%016" PRIx64 "%016" PRIx64 "%s", HIDDEN, bits[0], bits[1], ENDING);
    file->temporary = ead_path_join(folder, name);
    return file->temporary ? EAD_OK : EAD_NO_MEMORY;
}

/* The list of who else may use a file, or that there is none: the folder may give new files one. */
static bool keep_access_list(int descriptor, const char *path) {
    static const char name[] = "system.posix_acl_access";
    char list[4096];
    ssize_t size = getxattr(path, name, list, sizeof list);
    if (size >= 0) return fsetxattr(descriptor, name, list, (size_t)size, 0) == 0;
    if (errno == ENODATA) size = fremovexattr(descriptor, name);
    return size == 0 || errno == ENODATA || errno == ENOTSUP || errno == ENOSYS;
}

static bool keep_access(int descriptor, const struct stat *old, const char *path) {
    struct stat now;
    if (!keep_access_list(descriptor, path) || fstat(descriptor, &now) != 0) return false;
    bool kept = now.st_uid == old->st_uid && now.st_gid == old->st_gid;
    if (!kept && fchown(descriptor, old->st_uid, old->st_gid) != 0) return false;
    return ((now.st_mode ^ old->st_mode) & 07777) == 0 || fchmod(descriptor, old->st_mode & 07777) == 0;
}

/* Opens a file with the temporary name. It is locked as long as we live, which tells others that it is no
 * leftover; one that was taken for such before it was locked is made anew. */
static int open_named(const EadAtomicFile *file, mode_t mode) {
    for (;;) {
        struct stat info;
        int descriptor = open(file->temporary, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
        if (descriptor < 0) return -1;
        flock(descriptor, LOCK_EX | LOCK_NB);
        if (fstat(descriptor, &info) != 0 || info.st_nlink > 0) return descriptor;
        close(descriptor);
    }
}

/* Opens the temporary file: without a name, so that a killed process leaves none, where the file system and
 * /proc allow it. old: what it will replace, or NULL. */
static EadStatus open_temporary(EadAtomicFile *file, const struct stat *old) {
    EadPath folder;
    EAD_TRY(ead_path_folder(folder, file->path));
    EAD_TRY(name_temporary(file, folder));
    remove_leftovers(*folder ? folder : ".");
    mode_t mode = old ? 0600 : 0666;
    int descriptor = access("/proc/self/fd", X_OK) == 0
                         ? open(*folder ? folder : ".", O_TMPFILE | O_RDWR | O_CLOEXEC, mode)
                         : -1;
    if (descriptor >= 0) flock(descriptor, LOCK_EX | LOCK_NB);
    file->named = descriptor < 0 && (descriptor = open_named(file, mode)) >= 0;
    if (descriptor < 0) return fail(file->path);
    if (old && !keep_access(descriptor, old, file->path)) {
        int reason = errno;
        close(descriptor);
        return ead_fail(
            EAD_IO,
            "%s: its owner, group, mode or access list cannot be kept (%s); delete it, or name another file",
            file->path, strerror(reason));
    }
    file->stream = fdopen(descriptor, "wb+");
    if (file->stream) return EAD_OK;
    EadStatus status = fail(file->path);
    close(descriptor);
    return status;
}

/* A regular file that is there: it must be possible to put another one into its place. */
static EadStatus check_replaceable(const char *path, const struct stat *info, const char *target) {
    struct stat named;
    struct statx more;
    if (stat(target, &named) != 0 || named.st_dev != info->st_dev || named.st_ino != info->st_ino)
        return ead_fail(EAD_IO, "%s: cannot write: the file that it leads to was deleted", path);
    if (statx(AT_FDCWD, target, 0, 0, &more) == 0 && (more.stx_attributes & STATX_ATTR_MOUNT_ROOT))
        return ead_fail(EAD_IO, "%s: cannot write: this file is mounted by itself; mount its folder", path);
    return EAD_OK;
}

/* A file that is not there, perhaps because a link leads to where nothing is. */
static EadStatus open_new(EadAtomicFile *file, const char *path) {
    EadPath folder;
    EadStatus status = open_temporary(file, NULL);
    bool placed = ead_path_folder(folder, file->path) != EAD_OK || !*folder || ead_path_is_folder(folder);
    if (status != EAD_IO || placed || strcmp(file->path, path) == 0) return status;
    return ead_fail(
        EAD_IO,
        "%s: cannot write: it is a link to %s, whose folder is not there; make that, or delete the link",
        path, file->path);
}

static EadStatus open_file(EadAtomicFile *file, const char *path) {
    struct stat info;
    EadPath target;
    bool exists = stat(path, &info) == 0; /* fails for links that the system forbids to follow */
    EAD_TRY(ead_path_in(target, "", path));
    if ((!exists && errno != ENOENT) || !follow_links(target)) return fail(path);
    file->path = ead_strdup(target);
    if (!file->path) return EAD_NO_MEMORY;
    int own = exists ? own_output(&info) : 0;
    if (!exists) return open_new(file, path);
    if (S_ISREG(info.st_mode) && !own) {
        EAD_TRY(check_replaceable(path, &info, target));
        return open_temporary(file, &info);
    }
    if (S_ISDIR(info.st_mode) || S_ISBLK(info.st_mode))
        return ead_fail(EAD_IO, "%s: cannot write: it is a %s; name a file", path,
                        S_ISDIR(info.st_mode) ? "folder" : "disk");
    file->through = open_through(path, own);
    if (!file->through && errno == ENXIO)
        return ead_fail(EAD_IO, "%s: cannot write: nobody reads from this FIFO or socket", path);
    int memory = file->through ? memfd_create("output", MFD_CLOEXEC) : -1;
    file->stream = memory >= 0 ? fdopen(memory, "wb+") : NULL;
    if (memory >= 0 && !file->stream) close(memory);
    return file->stream ? EAD_OK : fail(path);
}

EadStatus ead_atomic_file_open(EadAtomicFile *file, const char *path) {
    *file = (EadAtomicFile){0};
    EadStatus status = open_file(file, path);
    if (status != EAD_OK) ead_atomic_file_discard(file);
    return status;
}

EadStatus ead_atomic_file_try(const char *folder) {
    EadAtomicFile file = {.path = ead_path_join(folder, ".")};
    EadStatus status = file.path ? open_temporary(&file, NULL) : EAD_NO_MEMORY;
    ead_atomic_file_discard(&file);
    return status;
}

static void link_of(const EadAtomicFile *file, char link[LINK_SIZE]) {
    snprintf(link, LINK_SIZE, "/proc/self/fd/%d", fileno(file->stream));
}

EadStatus ead_atomic_file_readable(EadAtomicFile *file, EadPath path) {
    char link[LINK_SIZE];
    if (file->through) return ead_fail(EAD_IO, "%s: is not a regular file; name one", file->path);
    if (fflush(file->stream) != 0) return fail(file->path);
    link_of(file, link);
    return ead_path_in(path, "", file->named ? file->temporary : link);
}

/* ---- completing ---- */

static bool copy_through(EadAtomicFile *file) {
    char block[1 << 14];
    rewind(file->stream);
    for (size_t size; (size = fread(block, 1, sizeof block, file->stream)) > 0;)
        if (fwrite(block, 1, size, file->through) != size) return false;
    bool complete = !ferror(file->stream) && fflush(file->through) == 0;
    FILE *stream = file->through;
    file->through = NULL;
    return fclose(stream) == 0 && complete;
}

static bool give_name(EadAtomicFile *file) {
    char link[LINK_SIZE];
    if (fsync(fileno(file->stream)) != 0) return false;
    link_of(file, link);
    /* A final name that is free is taken at once: a process killed here leaves a whole file or none. */
    bool done = !file->named && linkat(AT_FDCWD, link, AT_FDCWD, file->path, AT_SYMLINK_FOLLOW) == 0;
    if (!done && !file->named)
        file->named = linkat(AT_FDCWD, link, AT_FDCWD, file->temporary, AT_SYMLINK_FOLLOW) == 0;
    if (!done && file->named && rename(file->temporary, file->path) == 0) {
        done = true;
        file->named = false;
    }
    return done; /* all is on the disk: closing loses nothing, and keeps the temporary name ours until here */
}

/* A folder that may not be read cannot be synced, and some file systems know no such thing (EINVAL). */
EadStatus ead_sync_folder_of(const char *path) {
    EadPath folder;
    EAD_TRY(ead_path_folder(folder, path));
    int descriptor = open(*folder ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0 && errno == EACCES) return EAD_OK;
    bool failed = descriptor < 0 || (fsync(descriptor) != 0 && errno != EINVAL);
    int reason = errno;
    if (descriptor >= 0) close(descriptor);
    if (!failed) return EAD_OK;
    return ead_fail(EAD_IO, "%s: written, but may be gone after a power failure: syncing its folder: %s",
                    path, strerror(reason));
}

/* A stream keeps that a write failed, but not why. One more at the end of the file, which is given up, fails
 * for the same reason. */
static bool is_sound(EadAtomicFile *file) {
    static const char block[1 << 12];
    if (!ferror(file->stream)) return true;
    int descriptor = fileno(file->stream);
    if (pwrite(descriptor, block, sizeof block, lseek(descriptor, 0, SEEK_END)) > 0) errno = EIO;
    return false;
}

EadStatus ead_atomic_file_commit(EadAtomicFile *file) {
    errno = 0;
    bool written = is_sound(file) && fflush(file->stream) == 0;
    if (written) written = file->through ? copy_through(file) : give_name(file);
    EadStatus status = !written          ? fail(file->path)
                       : file->temporary ? ead_sync_folder_of(file->path)
                                         : EAD_OK;
    ead_atomic_file_discard(file);
    return status;
}

void ead_atomic_file_discard(EadAtomicFile *file) {
    if (file->stream) fclose(file->stream);
    if (file->through) fclose(file->through);
    if (file->named) unlink(file->temporary);
    forget(file);
}

EadStatus ead_atomic_file_write_text(const char *path, const char *text) {
    EadAtomicFile file;
    EAD_TRY(ead_atomic_file_open(&file, path));
    fputs(text, file.stream);
    return ead_atomic_file_commit(&file);
}
