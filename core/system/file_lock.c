/* flock(), and the file's text where there is none. */
#include "core/system/file_lock.h"

#include "core/base/file_bytes.h"
#include "core/base/memory.h"
#include "core/base/paths.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const char lock_name[] = ".lock"; /* in a folder */

enum { ATTEMPTS = 5, PLACE = 200, LINE = 300 };

/* ---- who holds it: "PLACE PROCESS START" ---- */

/* A process, wherever it is: the place is host, boot and space of process numbers, so that a number means one
 * process; start: when it began, in ticks since the boot, 0 if that is not known. */
typedef struct Holder {
    char place[PLACE];
    long process;
    unsigned long long start;
} Holder;

/* Without memory of its own: a lock must be given back where there is none, too. */
static void read_line(const char *path, char *line, size_t size) {
    int file = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t length = file >= 0 ? read(file, line, size - 1) : -1;
    line[length > 0 ? length : 0] = '\0';
    line[strcspn(line, "\n")] = '\0';
    if (file >= 0) close(file);
}

/* Fields 3 and 22 of /proc/PID/stat; the name in field 2 may hold anything. */
static unsigned long long start_of(long process, char *state) {
    char path[64], line[1024];
    unsigned long long start = 0;
    *state = '?';
    snprintf(path, sizeof path, "/proc/%ld/stat", process);
    read_line(path, line, sizeof line);
    const char *rest = strrchr(line, ')');
    if (rest)
        sscanf(rest + 1, " %c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %llu",
               state, &start);
    return start;
}

static Holder this_process(void) {
    char host[65] = "", boot[64], state;
    struct stat space = {0};
    if (gethostname(host, sizeof host - 1) != 0 || !host[0]) snprintf(host, sizeof host, "?");
    read_line("/proc/sys/kernel/random/boot_id", boot, sizeof boot);
    if (stat("/proc/self/ns/pid", &space) != 0) space.st_ino = 0;
    Holder holder = {.process = (long)getpid()};
    holder.start = start_of(holder.process, &state);
    snprintf(holder.place, sizeof holder.place, "%s/%s/%llu", host, boot, (unsigned long long)space.st_ino);
    return holder;
}

/* process 0: the file names none; -1: it holds something else. */
static Holder read_holder(int descriptor) {
    Holder holder = {.process = 0};
    char line[LINE];
    ssize_t size = pread(descriptor, line, sizeof line - 1, 0);
    line[size > 0 ? size : 0] = '\0';
    if (strchr(line, '\n') &&
        sscanf(line, "%199s %ld %llu", holder.place, &holder.process, &holder.start) == 3)
        return holder;
    /* Zeros are what a power failure leaves; or a process of this machine was killed as it wrote. */
    Holder self = this_process();
    size_t begun = strcspn(line, " ");
    bool is_lock =
        strncmp(line, self.place, begun) == 0 && (line[begun] == '\0' || self.place[begun] == '\0');
    return (Holder){.process = is_lock ? 0 : -1};
}

static EadStatus write_holder(const EadFileLock *lock) {
    char line[LINE];
    Holder self = this_process();
    int length = snprintf(line, sizeof line, "%s %ld %llu\n", self.place, self.process, self.start);
    if (ftruncate(lock->descriptor, 0) == 0 && ead_write_at(lock->descriptor, line, (size_t)length, 0))
        return EAD_OK;
    return ead_fail(EAD_IO, "%s: cannot write: %s", lock->path, strerror(errno ? errno : EIO));
}

static bool is_near(const Holder *holder) {
    return strcmp(holder->place, this_process().place) == 0;
}

/* Whether the holder is known to have ended. */
static bool is_dead(const Holder *holder) {
    char state;
    if (holder->process <= 0 || !is_near(holder)) return false;
    if (kill((pid_t)holder->process, 0) != 0 && errno == ESRCH) return true;
    unsigned long long start = start_of(holder->process, &state);
    return state == 'Z' || (start != 0 && holder->start != 0 && start != holder->start);
}

/* Whether the holder is known to live: so it took the lock where flock() did not work for it, if it does here. */
static bool is_alive(const Holder *holder) {
    char state;
    return holder->process > 0 && holder->start != 0 && is_near(holder) &&
           start_of(holder->process, &state) == holder->start && state != 'Z';
}

static EadStatus busy(int descriptor, const char *path, const char *what, bool locks) {
    char since[40] = "?";
    struct stat info;
    struct tm date;
    Holder holder = read_holder(descriptor);
    bool dated = fstat(descriptor, &info) == 0 && localtime_r(&info.st_mtime, &date);
    if (dated) strftime(since, sizeof since, "%Y-%m-%d %H:%M:%S", &date);
    int host = (int)strcspn(holder.place, "/");
    if (holder.process <= 0 && !locks)
        return ead_fail(
            EAD_BUSY,
            "%s: a process begins to work there, or was killed as it began; if none does, delete %s", what,
            path);
    if (holder.process <= 0)
        return ead_fail(EAD_BUSY, "%s: another process works there; wait for its end", what);
    if (!locks && !is_near(&holder))
        return ead_fail(
            EAD_BUSY,
            "%s: process %ld on %.*s works there since %s, and whether it still does cannot be told from "
            "here, for the file system has no locks; if it has ended, delete %s",
            what, holder.process, host, holder.place, since, path);
    return ead_fail(
        EAD_BUSY,
        "%s: another process works there (%ld on %.*s, since %s); wait for its end, or name another "
        "folder",
        what, holder.process, host, holder.place, since);
}

/* ---- taking it ---- */

static bool is_same_file(int descriptor, const char *path) {
    struct stat opened, named;
    return fstat(descriptor, &opened) == 0 && lstat(path, &named) == 0 && opened.st_dev == named.st_dev &&
           opened.st_ino == named.st_ino;
}

/* A dead process's file, where there are no locks: of several that find it, only the one that can make the
 * file "PATH.claim" looks again and puts its own name in. */
static EadStatus take_over(EadFileLock *lock, const char *what) {
    EadPath claim;
    if (snprintf(claim, sizeof claim, "%s.claim", lock->path) >= EAD_PATH_SIZE)
        return ead_fail(EAD_BAD_ARGUMENT, "%.200s: the path is too long", lock->path);
    int file = open(claim, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (file < 0)
        return ead_fail(EAD_BUSY, "%s: another process begins to work there; if none does, delete %s", what,
                        claim);
    Holder holder = read_holder(lock->descriptor);
    bool free_now = is_same_file(lock->descriptor, lock->path) && is_dead(&holder);
    EadStatus status = free_now ? write_holder(lock) : busy(lock->descriptor, lock->path, what, false);
    unlink(claim);
    close(file);
    return status;
}

/* The file is free, but of another user and not to be written, or not of this program at all. It may be
 * deleted only while it is locked: two that found it dead would delete each other's. */
static EadStatus make_way(const EadFileLock *lock, bool foreign, bool locked, bool *again) {
    if (foreign)
        return ead_fail(EAD_BAD_FILE, "%s: this file is not a lock of this program; move it away",
                        lock->path);
    *again = locked && unlink(lock->path) == 0;
    if (*again) return EAD_OK;
    return ead_fail(EAD_IO, "%s: a run of another user left this file, and it has ended; delete it",
                    lock->path);
}

/* One try with the file open. *again: the file was given up or is locked for a moment. */
static EadStatus lock_file(EadFileLock *lock, const char *what, bool created, bool *again) {
    bool locked = flock(lock->descriptor, LOCK_EX | LOCK_NB) == 0, locks = locked || errno == EWOULDBLOCK;
    *again = (locked && !is_same_file(lock->descriptor, lock->path)) || (!locked && errno == EINTR);
    if (*again) return EAD_OK;
    Holder holder = read_holder(lock->descriptor);
    bool writes = (fcntl(lock->descriptor, F_GETFL) & O_ACCMODE) == O_RDWR, foreign = holder.process < 0;
    /* This process's own is left from before it became this program. */
    bool alive = locked && holder.process != (long)getpid() && is_alive(&holder);
    if (foreign || (locked && !alive && !writes)) return make_way(lock, foreign, locked, again);
    if ((locked && !alive) || (!locks && created)) return write_holder(lock);
    if (holder.process == (long)getppid() && is_near(&holder)) {
        lock->of_parent = true;
        return write_holder(lock);
    }
    if (!locks && is_dead(&holder))
        return writes ? take_over(lock, what) : make_way(lock, false, false, again);
    *again = locks && !alive; /* those who look hold it for a moment */
    return busy(lock->descriptor, lock->path, what, locks);
}

/* A link is not followed, wherever it leads. */
static EadStatus check_kind(const char *path) {
    struct stat info;
    if (lstat(path, &info) != 0 || S_ISREG(info.st_mode)) return EAD_OK;
    return ead_fail(EAD_BAD_FILE, "%s: is a %s, and no lock of this program; move it away", path,
                    S_ISLNK(info.st_mode)   ? "link"
                    : S_ISDIR(info.st_mode) ? "folder"
                                            : "special file");
}

static EadStatus attempt(EadFileLock *lock, const char *what, bool *again) {
    const int flags = O_RDWR | O_CLOEXEC | O_NOFOLLOW;
    lock->descriptor = open(lock->path, flags | O_CREAT | O_EXCL, 0666);
    bool created = lock->descriptor >= 0, closed = errno == EACCES; /* the folder, unless the file is there */
    if (!created && errno == EEXIST) lock->descriptor = open(lock->path, flags);
    if (!created && errno == EACCES) /* another user's, with luck for reading */
        lock->descriptor = open(lock->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    int reason = !created && closed && errno == ENOENT ? EACCES : errno;
    *again = lock->descriptor < 0 && reason == ENOENT;
    EadStatus status = check_kind(lock->path);
    if (lock->descriptor < 0)
        return status != EAD_OK ? status
                                : ead_fail(EAD_IO, "%s: cannot write: %s", lock->path, strerror(reason));
    if (status == EAD_OK) status = lock_file(lock, what, created, again);
    if (status == EAD_OK && !*again) return EAD_OK;
    if (status != EAD_OK && status != EAD_BUSY && created) unlink(lock->path);
    close(lock->descriptor);
    return status == EAD_OK ? ead_fail(EAD_BUSY, "%s: another process begins to work there", what) : status;
}

EadStatus ead_file_lock_take(const char *path, const char *what, EadFileLock *lock) {
    const struct timespec moment = {.tv_nsec = 10000000};
    EadStatus status = EAD_OK;
    *lock = (EadFileLock){.path = ead_strdup(path)};
    if (!lock->path) return EAD_NO_MEMORY;
    bool again = true;
    for (int i = 0; i < ATTEMPTS && again; i++) {
        if (i > 0) nanosleep(&moment, NULL);
        status = attempt(lock, what, &again);
    }
    if (status == EAD_OK) return EAD_OK;
    free(lock->path);
    *lock = (EadFileLock){0};
    return status;
}

void ead_file_lock_pass_on(const EadFileLock *lock) {
    fcntl(lock->descriptor, F_SETFD, 0);
}

/* Not by close() alone: a child that was just started has the file open too until it becomes its program. */
void ead_file_lock_release(EadFileLock *lock) {
    if (!lock->path) return;
    Holder holder = read_holder(lock->descriptor);
    bool ours = holder.process == (long)getpid() || is_dead(&holder); /* dead: a child that shared it */
    if (!lock->of_parent && ours && is_same_file(lock->descriptor, lock->path)) unlink(lock->path);
    if (!lock->of_parent) flock(lock->descriptor, LOCK_UN);
    close(lock->descriptor);
    free(lock->path);
    *lock = (EadFileLock){0};
}

EadStatus ead_folder_lock_take(const char *folder, EadFileLock *lock) {
    EadPath path;
    EAD_TRY(ead_path_in(path, folder, lock_name));
    return ead_file_lock_take(path, folder, lock);
}

bool ead_folder_lock_is_held(const char *folder) {
    EadPath path;
    if (ead_path_in(path, folder, lock_name) != EAD_OK) return false;
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (descriptor < 0) return false;
    bool held = flock(descriptor, LOCK_SH | LOCK_NB) != 0;
    Holder holder = read_holder(descriptor);
    if (held && errno != EWOULDBLOCK) held = !is_dead(&holder);
    if (!held) held = holder.process != (long)getpid() && is_alive(&holder);
    /* A killed process's, of a folder that nobody may work in again. */
    if (!held && is_dead(&holder) && flock(descriptor, LOCK_EX | LOCK_NB) == 0 &&
        is_same_file(descriptor, path))
        unlink(path);
    close(descriptor);
    return held;
}
