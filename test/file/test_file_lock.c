/* Locks between processes, on file systems with flock() and on those without. */
#define _GNU_SOURCE /* syscall */
#define S           "build/scratch/test_file_lock/"
#include "test/support/scratch.h"

#include "core/system/file_lock.h"

#include <errno.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define LOCK S "folder/.lock"

static int without; /* what flock() fails with; 0: it works */

/* In place of the C library's. */
int flock(int file, int operation) {
    errno = without;
    return without ? -1 : (int)syscall(SYS_flock, file, operation);
}

/* The kinds of file systems, by loop index. */
static const int kinds[] = {0, ENOLCK, ENOSYS, EOPNOTSUPP, EINVAL};
enum { KINDS = sizeof kinds / sizeof *kinds };

static void begin(int kind) {
    without = kinds[kind];
    shell_ok("rm -rf " S "folder; mkdir -p " S "folder");
}

/* A child that holds the lock and waits to be killed. */
static pid_t hold(void) {
    int ends[2];
    char byte;
    ck_assert_int_eq(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        EadFileLock lock;
        byte = ead_folder_lock_take(S "folder", &lock) == EAD_OK;
        if (write(ends[1], &byte, 1) == 1) pause();
        _exit(1);
    }
    ck_assert(read(ends[0], &byte, 1) == 1 && byte == 1);
    close(ends[0]);
    close(ends[1]);
    return child;
}

static void take_and_release(void) {
    EadFileLock lock;
    ASSERT_OK(ead_folder_lock_take(S "folder", &lock));
    ck_assert(ead_folder_lock_is_held(S "folder") && exists(LOCK));
    ead_file_lock_release(&lock);
    ck_assert(!ead_folder_lock_is_held(S "folder"));
    ck_assert_int_eq(files_in(S "folder"), 0);
    ead_file_lock_release(&lock); /* harmless */
}

START_TEST(one_process_at_a_time) {
    EadFileLock lock;
    char text[64];
    begin(_i);
    take_and_release();
    pid_t child = hold();
    snprintf(text, sizeof text, "another process works there (%ld on ", (long)child);
    ASSERT_FAILS(ead_folder_lock_take(S "folder", &lock), EAD_BUSY, text);
    ck_assert_ptr_null(lock.path);
    ck_assert(ead_folder_lock_is_held(S "folder"));
    /* Dead, though its parent has not asked for its end yet. */
    siginfo_t info;
    kill(child, SIGKILL);
    ck_assert_int_eq(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT), 0);
    ck_assert(exists(LOCK) && !ead_folder_lock_is_held(S "folder"));
    ck_assert_int_eq(exists(LOCK), without != 0);
    take_and_release();
    ck_assert_int_eq(waitpid(child, NULL, 0), child);
    child = hold();
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    take_and_release();
    ASSERT_OK(ead_folder_lock_take(S "folder", &lock));
    EadFileLock second;
    ASSERT_FAILS(ead_folder_lock_take(S "folder", &second), EAD_BUSY, "another process");
    ead_file_lock_release(&lock);
}
END_TEST

/* One process has flock() on the folder, the other has not. */
START_TEST(both_kinds_see_each_other) {
    EadFileLock lock;
    char text[64];
    for (int other = 0; other < KINDS; other++) {
        begin(other);
        pid_t child = hold();
        without = kinds[_i];
        snprintf(text, sizeof text, "another process works there (%ld on ", (long)child);
        ASSERT_FAILS(ead_folder_lock_take(S "folder", &lock), EAD_BUSY, text);
        ck_assert(ead_folder_lock_is_held(S "folder") && exists(LOCK));
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        take_and_release();
        /* A sweep and the training that it started. */
        without = kinds[other];
        ASSERT_OK(ead_folder_lock_take(S "folder", &lock));
        child = fork();
        if (child == 0) {
            EadFileLock own;
            without = kinds[_i];
            bool good = ead_folder_lock_take(S "folder", &own) == EAD_OK && own.of_parent;
            ead_file_lock_release(&own);
            _exit(good && exists(LOCK) ? 0 : 1);
        }
        int status;
        ck_assert_int_eq(waitpid(child, &status, 0), child);
        ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
        ead_file_lock_release(&lock);
        ck_assert_int_eq(files_in(S "folder"), 0);
    }
}
END_TEST

/* A program that becomes another one keeps its number and start, but not what it held. */
START_TEST(a_lock_of_this_process_before_is_no_obstacle) {
    EadFileLock lock;
    begin(0);
    ASSERT_OK(ead_folder_lock_take(S "folder", &lock));
    flock(lock.descriptor, LOCK_UN);
    take_and_release();
    close(lock.descriptor);
    free(lock.path);
}
END_TEST

/* The number of a dead process that another one has got since: the start tells them apart. */
START_TEST(numbers_of_processes_are_used_again) {
    char line[512], place[256];
    long process;
    begin(_i);
    pid_t child = hold();
    char *text = read_text(LOCK);
    ck_assert_int_eq(sscanf(text, "%255s %ld", place, &process), 2);
    ck_assert_int_eq(process, child);
    free(text);
    snprintf(line, sizeof line, "%s %ld 1\n", place, process);
    write_text(LOCK, line);
    ck_assert_int_eq(ead_folder_lock_is_held(S "folder"), without == 0); /* locked is locked */
    if (without) take_and_release();
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
}
END_TEST

START_TEST(what_cannot_be_told_is_named_with_the_cure) {
    EadFileLock lock;
    begin(_i);
    write_text(LOCK, "elsewhere/b/1 123 456\n");
    if (!without) {
        take_and_release();
        return;
    }
    ASSERT_FAILS(ead_folder_lock_take(S "folder", &lock), EAD_BUSY,
                 "process 123 on elsewhere works there since ");
    ASSERT_FAILS(ead_folder_lock_take(S "folder", &lock), EAD_BUSY, "if it has ended, delete " LOCK);
    write_text(LOCK, "");
    ASSERT_FAILS(ead_folder_lock_take(S "folder", &lock), EAD_BUSY, "if none does, delete " LOCK);
    ck_assert(ead_folder_lock_is_held(S "folder"));
    unlink(LOCK);
    pid_t child = hold();
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    write_text(LOCK ".claim", "");
    ASSERT_FAILS(ead_folder_lock_take(S "folder", &lock), EAD_BUSY, "delete " LOCK ".claim");
    unlink(LOCK ".claim");
    take_and_release();
}
END_TEST

/* Of many that find the lock of a dead process one gets it. */
START_TEST(a_dead_one_is_taken_over_once) {
    enum { MANY = 12 };
    int gates[2], results[2];
    pid_t children[MANY];
    begin(_i);
    pid_t child = hold();
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    ck_assert(pipe(gates) == 0 && pipe(results) == 0);
    for (int i = 0; i < MANY; i++) {
        children[i] = fork();
        if (children[i] != 0) continue;
        EadFileLock lock;
        char byte;
        close(gates[1]);
        close(results[0]);
        if (read(gates[0], &byte, 1) != 0) _exit(1); /* all begin when the gate is closed */
        byte = ead_folder_lock_take(S "folder", &lock) == EAD_OK;
        if (write(results[1], &byte, 1) == 1) pause();
        _exit(1);
    }
    close(gates[1]);
    int winners = 0;
    for (int i = 0; i < MANY; i++) {
        char byte;
        ck_assert_int_eq(read(results[0], &byte, 1), 1);
        winners += byte;
    }
    for (int i = 0; i < MANY; i++) kill(children[i], SIGKILL);
    for (int i = 0; i < MANY; i++) waitpid(children[i], NULL, 0);
    ck_assert_int_eq(winners, 1);
    take_and_release();
}
END_TEST

/* A sweep holds the lock of a run and starts the training, which takes it too. */
START_TEST(a_child_shares_the_lock_of_its_parent) {
    EadFileLock lock;
    begin(_i);
    ASSERT_OK(ead_folder_lock_take(S "folder", &lock));
    pid_t child = fork();
    if (child == 0) {
        EadFileLock own, other;
        bool good = ead_folder_lock_take(S "folder", &own) == EAD_OK && own.of_parent;
        good = good && ead_folder_lock_take(S "folder", &other) == EAD_BUSY; /* its own by now */
        ead_file_lock_release(&own);
        _exit(good ? 0 : 1);
    }
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    ck_assert(exists(LOCK));
    ead_file_lock_release(&lock);
    ck_assert_int_eq(files_in(S "folder"), 0);
}
END_TEST

START_TEST(links_and_missing_folders_are_refused) {
    EadFileLock lock;
    static const struct {
        const char *make, *kind;
    } cases[] = {{"ln -s /nowhere/at/all " LOCK, "link"},
                 {"touch " S "file; ln -s ../file " LOCK, "link"},
                 {"mkdir " LOCK, "folder"},
                 {"mkfifo " LOCK, "special file"}};
    char message[200];
    begin(_i);
    for (int i = 0; i < 4; i++) {
        shell_ok(cases[i].make);
        snprintf(message, sizeof message, LOCK ": is a %s, and no lock of this program; move it away",
                 cases[i].kind);
        ASSERT_FAILS(ead_folder_lock_take(S "folder", &lock), EAD_BAD_FILE, message);
        shell_ok("rm -r " LOCK);
    }
    ASSERT_FAILS(ead_folder_lock_take(S "missing", &lock), EAD_IO, S "missing/.lock: cannot write: ");
    ck_assert(!ead_folder_lock_is_held(S "missing"));
}
END_TEST

/* Another user's file that may be read only, left in a folder that both may write to. */
START_TEST(a_lock_of_another_user_is_no_obstacle) {
    begin(_i);
    pid_t child = hold();
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    shell_ok("chmod 444 " LOCK "; chmod 777 " S "folder");
    child = fork();
    if (child == 0) {
        EadFileLock lock;
        if (geteuid() == 0 && setuid(65534) != 0) _exit(3);
        EadStatus status = ead_folder_lock_take(S "folder", &lock);
        bool good = without
                        ? status == EAD_IO && strstr(ead_error_message(), LOCK ": a run of another user left")
                        : status == EAD_OK && files_in(S "folder") == 1;
        if (!good) fprintf(stderr, "%d %s\n", (int)status, ead_error_message());
        ead_file_lock_release(&lock);
        _exit(good && (without || !exists(LOCK)) ? 0 : 1);
    }
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}
END_TEST

START_TEST(files_of_other_programs_stay) {
    static const char *const texts[] = {"my own notes\n", "host 12", "[lock]\npid = 7\n"};
    EadFileLock lock;
    begin(_i);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        write_text(LOCK, texts[i]);
        ASSERT_FAILS(ead_folder_lock_take(S "folder", &lock), EAD_BAD_FILE, LOCK ": this file is not a lock");
        assert_file_holds(LOCK, texts[i]);
    }
    write_bytes(LOCK, "\0\0\0\0", 4); /* a power failure leaves zeros of what was not written yet */
    if (!without) take_and_release();
}
END_TEST

/* A process was killed as it wrote its name. */
START_TEST(a_text_that_was_begun_is_no_obstacle) {
    EadFileLock lock;
    char text[512];
    begin(_i);
    ASSERT_OK(ead_folder_lock_take(S "folder", &lock));
    ssize_t size = pread(lock.descriptor, text, sizeof text, 0);
    ead_file_lock_release(&lock);
    ck_assert_int_gt(size, 8);
    for (ssize_t part = 0; part < size && !without; part++) {
        write_bytes(LOCK, text, (size_t)part);
        take_and_release();
    }
    if (without) {
        write_bytes(LOCK, text, (size_t)size / 2);
        ASSERT_FAILS(ead_folder_lock_take(S "folder", &lock), EAD_BUSY, "killed as it began");
    }
}
END_TEST

static void remove_scratch(void) {
    shell_ok("rm -rf " S);
}

int main(void) {
    Suite *suite = suite_create("file lock");
    TCase *tests = tcase_create("file lock");
    tcase_add_unchecked_fixture(tests, NULL, remove_scratch);
    tcase_add_loop_test(tests, one_process_at_a_time, 0, KINDS);
    tcase_add_loop_test(tests, both_kinds_see_each_other, 0, KINDS);
    tcase_add_test(tests, a_lock_of_this_process_before_is_no_obstacle);
    tcase_add_loop_test(tests, numbers_of_processes_are_used_again, 0, KINDS);
    tcase_add_loop_test(tests, what_cannot_be_told_is_named_with_the_cure, 0, KINDS);
    tcase_add_loop_test(tests, a_dead_one_is_taken_over_once, 0, KINDS);
    tcase_add_loop_test(tests, a_child_shares_the_lock_of_its_parent, 0, KINDS);
    tcase_add_loop_test(tests, a_lock_of_another_user_is_no_obstacle, 0, KINDS);
    tcase_add_loop_test(tests, files_of_other_programs_stay, 0, KINDS);
    tcase_add_loop_test(tests, a_text_that_was_begun_is_no_obstacle, 0, KINDS);
    tcase_add_loop_test(tests, links_and_missing_folders_are_refused, 0, KINDS);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
