/* Atomic files: complete or not at all, and nothing left behind. */
#define _GNU_SOURCE /* chroot, unshare */
#define SCENE       "atomic_file"
#include "test/file/atomic_scene.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>

/* The C library's, but that one kind of descriptor can be made to fail. */
static struct {
    mode_t kind;
    int reason;
} failing_sync;

int fsync(int descriptor) {
    struct stat info;
    if (fstat(descriptor, &info) == 0 && (info.st_mode & S_IFMT) == failing_sync.kind) {
        errno = failing_sync.reason;
        return -1;
    }
    return (int)syscall(SYS_fsync, descriptor);
}

/* The same for a process that is killed before it renames. */
static bool killed_at_rename;

int rename(const char *from, const char *to) {
    if (killed_at_rename) raise(SIGKILL);
    return (int)syscall(SYS_rename, from, to);
}

START_TEST(committed_files_replace) {
    write_committed("first");
    assert_file_holds(TARGET, "first");
    write_committed("second");
    assert_file_holds(TARGET, "second");
    ck_assert_int_eq(files_in(FOLDER), 1);
    mode_t mask = umask(027);
    ASSERT_OK(write_file(FOLDER "/new", ""));
    umask(mask);
    ck_assert_uint_eq(info_of(FOLDER "/new").st_mode, S_IFREG | 0640);
}
END_TEST

START_TEST(discarded_files_vanish) {
    write_committed("kept");
    EadAtomicFile one, two, none = {0};
    ASSERT_OK(ead_atomic_file_open(&one, TARGET));
    ASSERT_OK(ead_atomic_file_open(&two, TARGET));
    fputs("lost", one.stream);
    ead_atomic_file_discard(&one);
    ead_atomic_file_discard(&two);
    ead_atomic_file_discard(&two);
    ead_atomic_file_discard(&none);
    ck_assert_int_eq(files_in(FOLDER), 1);
    assert_file_holds(TARGET, "kept");
}
END_TEST

START_TEST(what_is_written_can_be_read_before) {
    EadAtomicFile file;
    EadPath path;
    ASSERT_OK(ead_atomic_file_open(&file, TARGET));
    fputs("so far", file.stream);
    ASSERT_OK(ead_atomic_file_readable(&file, path));
    assert_file_holds(path, "so far");
    ck_assert(!exists(TARGET));
    ASSERT_OK(ead_atomic_file_commit(&file));
    assert_file_holds(TARGET, "so far");
}
END_TEST

START_TEST(unwritable_places_are_errors) {
    make_folders(FOLDER "/taken/");
    symlink("round", FOLDER "/about");
    symlink("about", FOLDER "/round");
    ASSERT_FAILS(write_file(FOLDER "/absent/a.txt", ""), EAD_IO,
                 FOLDER "/absent/a.txt: cannot write: No such");
    ASSERT_FAILS(write_file(FOLDER "/taken", ""), EAD_IO, FOLDER "/taken: cannot write: it is a folder");
    ASSERT_FAILS(write_file(FOLDER "/taken/", ""), EAD_IO, FOLDER "/taken/: cannot write: it is a folder");
    ASSERT_FAILS(write_file(FOLDER "/round", ""), EAD_IO, FOLDER "/round: cannot write: Too many");
    ASSERT_FAILS(write_file("", ""), EAD_IO, ": cannot write: ");
    ck_assert_int_eq(files_in(FOLDER), 3);
}
END_TEST

START_TEST(names_may_be_as_long_as_names_can_be) {
    char path[sizeof FOLDER + 256] = FOLDER "/";
    memset(path + strlen(path), 'n', 255);
    ASSERT_OK(write_file(path, "long"));
    assert_file_holds(path, "long");
}
END_TEST

/* A file-size limit stands in for a full disk: writes come up short in the same way; at the end, or before. */
START_TEST(full_disk_keeps_the_old_file) {
    write_committed("old");
    struct rlimit before, limit;
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
    limit = before;
    limit.rlim_cur = 4;
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    EadAtomicFile file;
    ck_assert_int_eq(ead_atomic_file_open(&file, TARGET), EAD_OK);
    fputs("too long for the disk", file.stream);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    if (_i == 1) ck_assert_int_ne(fflush(file.stream), 0);
    EadStatus status = ead_atomic_file_commit(&file);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, handler);
    ck_assert_int_eq(status, EAD_IO);
    ck_assert_str_eq(ead_error_message(), FOLDER "/a.txt: cannot write: File too large");
    ck_assert_int_eq(files_in(FOLDER), 1);
    assert_file_holds(TARGET, "old");
}
END_TEST

/* As kill -9 does it. */
START_TEST(a_killed_process_leaves_nothing) {
    write_committed("old");
    pid_t child = fork();
    if (child == 0) {
        EadAtomicFile file;
        if (ead_atomic_file_open(&file, TARGET) != EAD_OK) _exit(1);
        fputs("half", file.stream);
        fflush(file.stream);
        raise(SIGKILL);
    }
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFSIGNALED(status));
    ck_assert_int_eq(files_in(FOLDER), 1);
    assert_file_holds(TARGET, "old");
}
END_TEST

/* A FIFO needs no room on a disk for what goes into it: there is no /tmp either. */
static bool write_through_without_tmp(void) {
    char got[8] = "";
    if (mkfifo("fifo", 0600) != 0) return false;
    int reader = open("fifo", O_RDONLY | O_NONBLOCK);
    bool arrived = write_file("fifo", "text") == EAD_OK && read(reader, got, sizeof got) == 4;
    return arrived && close(reader) == 0 && unlink("fifo") == 0;
}

/* Without /proc a file has a name from the start, which nobody can guess or put a link at. Runs in a child that
 * the scratch folder is the whole file system of. */
static int write_without_proc(void) {
    EadAtomicFile one, two, three;
    EadPath path;
    if (chroot(FOLDER) != 0 || chdir("/") != 0) return 1;
    if (!write_through_without_tmp()) return 10;
    if (ead_atomic_file_open(&one, "a") != EAD_OK || ead_atomic_file_open(&two, "a") != EAD_OK) return 2;
    if (ead_atomic_file_open(&three, "a") != EAD_OK || files_in("/") != 3) return 3;
    if (strlen(one.temporary) != strlen(".efficientad-.tmp") + 32) return 4;
    if (strncmp(one.temporary, two.temporary, strlen(".efficientad-") + 4) == 0) return 5;
    if (ead_atomic_file_readable(&one, path) != EAD_OK || access(path, R_OK) != 0) return 6;
    fputs("text", one.stream);
    if (ead_atomic_file_commit(&one) != EAD_OK) return 7;
    ead_atomic_file_discard(&two);
    if (files_in("/") != 2 || unlink(three.temporary) != 0) return 8;
    return ead_atomic_file_commit(&three) == EAD_IO && files_in("/") == 1 ? 0 : 9;
}

START_TEST(works_without_proc) {
    SKIP_UNLESS(geteuid() == 0, "chroot() needs root");
    int status;
    pid_t child = fork();
    if (child == 0) _exit(write_without_proc());
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    assert_file_holds(FOLDER "/a", "text");
}
END_TEST

START_TEST(only_ours_is_ever_deleted) {
    static const char *const names[] = {"/a.txt.tmp-1-2", "/.efficientad-0123456789abcdef.tmp",
                                        "/a.txt.part"};
    char path[200];
    for (int i = 0; i < 3; i++)
        snprintf(path, sizeof path, FOLDER "%s", names[i]), write_text(path, "others'");
    write_committed("ours");
    EadAtomicFile file;
    ASSERT_OK(ead_atomic_file_open(&file, TARGET));
    ead_atomic_file_discard(&file);
    for (int i = 0; i < 3; i++)
        snprintf(path, sizeof path, FOLDER "%s", names[i]), assert_file_holds(path, "others'");
    ck_assert_int_eq(files_in(FOLDER), 4);
}
END_TEST

/* ---- syncing ---- */

START_TEST(failed_syncs_are_told) {
    write_committed("old");
    failing_sync.kind = S_IFREG, failing_sync.reason = EIO;
    EadStatus status = write_file(TARGET, "new");
    failing_sync.kind = 0;
    ASSERT_FAILS(status, EAD_IO, "a.txt: cannot write: Input/output error");
    assert_file_holds(TARGET, "old");
    failing_sync.kind = S_IFDIR;
    status = write_file(TARGET, "new");
    failing_sync.kind = 0;
    ASSERT_FAILS(status, EAD_IO,
                 "a.txt: written, but may be gone after a power failure: syncing its folder: Input");
    assert_file_holds(TARGET, "new");
    failing_sync.kind = S_IFDIR, failing_sync.reason = EINVAL; /* a file system that knows no such thing */
    status = write_file(TARGET, "newer");
    failing_sync.kind = 0;
    ASSERT_OK(status);
    assert_file_holds(TARGET, "newer");
    ck_assert_int_eq(files_in(FOLDER), 1);
}
END_TEST

/* A folder is looked through when a thread comes from another. */
static void write_elsewhere_and(const char *text) {
    make_folders(FOLDER "_other/");
    ASSERT_OK(write_file(FOLDER "_other/file", text));
    write_committed(text);
}

START_TEST(what_a_killed_process_left_is_cleaned) {
    static const char *const others[] = {".efficientad-0123.tmp",
                                         ".efficientad-0123456789abcdef0123456789abcdeg.tmp",
                                         "efficientad-0123456789abcdef0123456789abcdef.tmp",
                                         ".efficientad-0123456789abcdef0123456789abcdef.tmp.old"};
    char path[200];
    for (size_t i = 0; i < 4; i++) {
        snprintf(path, sizeof path, FOLDER "/%s", others[i]);
        ASSERT_OK(write_file(path, ""));
    }
    write_committed("old");
    pid_t child = fork();
    if (child == 0) {
        killed_at_rename = true;
        write_file(TARGET, "new");
        _exit(0);
    }
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    ck_assert_int_eq(files_in(FOLDER), 6);
    write_elsewhere_and("newer");
    ck_assert_int_eq(files_in(FOLDER), 5);
    assert_file_holds(TARGET, "newer");
}
END_TEST

/* A process that is not done holds the lock of its temporary file, whatever the others find. */
START_TEST(what_a_living_process_writes_is_left_alone) {
    static const char name[] = FOLDER "/.efficientad-0123456789abcdef0123456789abcdef.tmp";
    int descriptor = open(name, O_RDWR | O_CREAT, 0666);
    ck_assert_int_ge(descriptor, 0);
    ck_assert_int_eq(flock(descriptor, LOCK_EX), 0);
    write_elsewhere_and("a");
    ck_assert_int_eq(access(name, F_OK), 0);
    close(descriptor);
    ck_assert_int_eq(symlink(TARGET, FOLDER "/.efficientad-fedcba9876543210fedcba9876543210.tmp"), 0);
    write_elsewhere_and("b");
    ck_assert_int_ne(access(name, F_OK), 0);
    ck_assert_int_eq(files_in(FOLDER), 2); /* the link was made by somebody else */
}
END_TEST

int main(void) {
    Suite *suite = suite_create("atomic files");
    TCase *cases = tcase_create("all");
    suite_add_tcase(suite, cases);
    tcase_add_checked_fixture(cases, set_up, NULL);
    tcase_add_test(cases, committed_files_replace);
    tcase_add_test(cases, discarded_files_vanish);
    tcase_add_test(cases, what_is_written_can_be_read_before);
    tcase_add_test(cases, unwritable_places_are_errors);
    tcase_add_test(cases, names_may_be_as_long_as_names_can_be);
    tcase_add_loop_test(cases, full_disk_keeps_the_old_file, 0, 2);
    tcase_add_test(cases, a_killed_process_leaves_nothing);
    tcase_add_test(cases, what_a_killed_process_left_is_cleaned);
    tcase_add_test(cases, what_a_living_process_writes_is_left_alone);
    tcase_add_test(cases, works_without_proc);
    tcase_add_test(cases, only_ours_is_ever_deleted);
    tcase_add_test(cases, failed_syncs_are_told);
    return run_suite(suite);
}
