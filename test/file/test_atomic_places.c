/* Atomic files in the place of what stands there already: its mode, owner and rights stay, links too, and what is no
 * file is written through or refused. */
#define _GNU_SOURCE /* unshare */
#define SCENE       "atomic_places"
#include "test/file/atomic_scene.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>

START_TEST(mode_and_owner_stay) {
    static const mode_t modes[] = {0600, 0640, 0444, 0755, 04750, 0};
    for (int i = 0; i < 6; i++) {
        write_text(TARGET, "old");
        if (geteuid() == 0) ck_assert_int_eq(chown(TARGET, 12345, 23456), 0);
        ck_assert_int_eq(chmod(TARGET, modes[i]), 0);
        struct stat before = info_of(TARGET);
        write_committed("new");
        struct stat after = info_of(TARGET);
        ck_assert_uint_eq(after.st_mode, S_IFREG | modes[i]);
        ck_assert(after.st_uid == before.st_uid && after.st_gid == before.st_gid);
        ck_assert_uint_ne(after.st_ino, before.st_ino);
        ck_assert_int_eq(unlink(TARGET), 0);
    }
}
END_TEST

/* A list of rights (ACL) as the kernel stores it: tags 1 owner, 2 a user, 4 group, 16 mask, 32 others. */
#define LIST_NAME   "system.posix_acl_"
#define ENTRY(t, r) t, 0, r, 0, 0xFF, 0xFF, 0xFF, 0xFF
#define USER(id, r) 2, 0, r, 0, id, 0, 0, 0
static const uint8_t list[] = {2, 0, 0, 0, ENTRY(1, 6), USER(99, 6), ENTRY(4, 0), ENTRY(16, 6), ENTRY(32, 0)};

/* A file with a list keeps it, or its group would get the rights of the mask; one without gets none, or those
 * whom the folder's list for new files names would get rights. */
START_TEST(access_lists_stay) {
    char got[100];
    write_text(TARGET, "old");
    SKIP_UNLESS(setxattr(TARGET, LIST_NAME "access", list, sizeof list, 0) == 0, "no access lists here");
    write_committed("new");
    ck_assert_int_eq(getxattr(TARGET, LIST_NAME "access", got, sizeof got), sizeof list);
    ck_assert_mem_eq(got, list, sizeof list);
    ck_assert_uint_eq(info_of(TARGET).st_mode, S_IFREG | 0660);
    write_text(FOLDER "/plain", "old"), write_text(FOLDER "/closed", "old");
    ck_assert_int_eq(chmod(FOLDER "/plain", 0664) + chmod(FOLDER "/closed", 0600), 0);
    ck_assert_int_eq(setxattr(FOLDER, LIST_NAME "default", list, sizeof list, 0), 0);
    ASSERT_OK(write_file(FOLDER "/plain", "new"));
    ASSERT_OK(write_file(FOLDER "/closed", "new"));
    ASSERT_OK(write_file(FOLDER "/fresh", "new"));
    ck_assert_int_eq(getxattr(FOLDER "/plain", LIST_NAME "access", got, sizeof got), -1);
    ck_assert_int_eq(getxattr(FOLDER "/closed", LIST_NAME "access", got, sizeof got), -1);
    ck_assert_int_gt(getxattr(FOLDER "/fresh", LIST_NAME "access", got, sizeof got), 0);
    ck_assert_uint_eq(info_of(FOLDER "/plain").st_mode, S_IFREG | 0664);
    ck_assert_uint_eq(info_of(FOLDER "/closed").st_mode, S_IFREG | 0600);
}
END_TEST

/* As containers mount one: it cannot be replaced, which must show before the work. In a child with mounts of its
 * own. */
static int write_mounted(void) {
    if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0) return 77;
    write_text(FOLDER "/source", "old"), write_text(TARGET, "below"), symlink("a.txt", FOLDER "/link");
    if (mount(FOLDER "/source", TARGET, NULL, MS_BIND, NULL) != 0) return 77;
    EadAtomicFile file;
    static const char *const names[] = {TARGET, FOLDER "/link"};
    for (int i = 0; i < 2; i++)
        if (ead_atomic_file_open(&file, names[i]) != EAD_IO ||
            !strstr(ead_error_message(), "this file is mounted by itself; mount its folder"))
            return 1;
    if (write_file(FOLDER "/source", "new") != EAD_OK) return 2;
    if (umount(TARGET) != 0 || mount("none", FOLDER, "tmpfs", 0, "size=100k") != 0) return 3;
    return write_file(TARGET, "in a folder that is mounted") == EAD_OK ? 0 : 4;
}

START_TEST(files_mounted_by_themselves_are_refused) {
    int status;
    pid_t child = fork();
    if (child == 0) _exit(write_mounted());
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    SKIP_UNLESS(!WIFEXITED(status) || WEXITSTATUS(status) != 77, "nothing can be mounted here");
    ck_assert_int_eq(status, 0);
    ck_assert_int_eq(files_in(FOLDER), 3);
    assert_file_holds(FOLDER "/source", "new");
}
END_TEST

/* A descriptor's link leads to the file's name; not to "NAME (deleted)" when there is none. */
START_TEST(descriptors_of_files) {
    char link[64];
    int descriptor = open(TARGET, O_RDWR | O_CREAT, 0600);
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ASSERT_OK(write_file(link, "text"));
    assert_file_holds(TARGET, "text");
    ASSERT_FAILS(write_file(link, ""), EAD_IO, "cannot write: the file that it leads to was deleted");
    ck_assert_int_eq(unlink(TARGET), 0);
    ASSERT_FAILS(write_file(link, ""), EAD_IO, "cannot write: the file that it leads to was deleted");
    close(descriptor);
    ck_assert_int_eq(files_in(FOLDER), 0);
}
END_TEST

START_TEST(owners_that_cannot_be_kept_are_refused) {
    SKIP_UNLESS(geteuid() == 0, "another owner needs root");
    write_committed("root's");
    ck_assert_int_eq(chmod(FOLDER, 0777), 0);
    ck_assert_int_eq(seteuid(65534), 0);
    EadStatus status = write_file(TARGET, "new"), other = write_file(FOLDER "/b.txt", "new");
    ck_assert_int_eq(seteuid(0), 0);
    ck_assert_int_eq(status, EAD_IO);
    ASSERT_OK(other);
    assert_file_holds(TARGET, "root's");
    ck_assert_int_eq(files_in(FOLDER), 2);
}
END_TEST

/* Of a link, of a link to a link into another folder, of one that leads to nothing yet, of an absolute one. */
START_TEST(links_stay) {
    char absolute[4096];
    make_folders(FOLDER "/there/");
    ck_assert_ptr_nonnull(getcwd(absolute, sizeof absolute - 100));
    strcat(absolute, "/" FOLDER "/there/d");
    symlink("there/a", FOLDER "/one"), symlink("there/back", FOLDER "/two"),
        symlink("../b", FOLDER "/there/back");
    symlink("there/none", FOLDER "/three"), symlink(absolute, FOLDER "/four");
    write_text(FOLDER "/there/a", "old"), write_text(FOLDER "/b", "old"), write_text(absolute, "old");
    chmod(FOLDER "/there/a", 0600);
    static const char *const cases[][2] = {{FOLDER "/one", FOLDER "/there/a"},
                                           {FOLDER "/two", FOLDER "/b"},
                                           {FOLDER "/three", FOLDER "/there/none"},
                                           {FOLDER "/four", FOLDER "/there/d"}};
    for (int i = 0; i < 4; i++) {
        ASSERT_OK(write_file(cases[i][0], "new"));
        ck_assert(S_ISLNK(info_of(cases[i][0]).st_mode) && S_ISREG(info_of(cases[i][1]).st_mode));
        assert_file_holds(cases[i][1], "new");
    }
    ck_assert_uint_eq(info_of(FOLDER "/there/a").st_mode, S_IFREG | 0600);
    ck_assert(S_ISLNK(info_of(FOLDER "/there/back").st_mode));
    ck_assert_int_eq(files_in(FOLDER), 6);
    ck_assert_int_eq(files_in(FOLDER "/there"), 4);
}
END_TEST

static void check_arrived(int descriptor, const char *text) {
    char got[64] = "";
    ssize_t length = read(descriptor, got, sizeof got - 1);
    ck_assert_int_eq(length, (ssize_t)strlen(text));
    ck_assert_str_eq(got, text);
}

/* All at once when it is complete, by a link too; and nothing of what is discarded. */
START_TEST(fifos_are_written_through) {
    EadAtomicFile file;
    EadPath path;
    ck_assert_int_eq(mkfifo(TARGET, 0600), 0);
    symlink("a.txt", FOLDER "/link");
    ASSERT_FAILS(write_file(TARGET, ""), EAD_IO, "a.txt: cannot write: nobody reads from this FIFO");
    int reader = open(TARGET, O_RDONLY | O_NONBLOCK);
    ASSERT_OK(write_file(TARGET, "one"));
    check_arrived(reader, "one");
    ASSERT_OK(ead_atomic_file_open(&file, FOLDER "/link"));
    ASSERT_FAILS(ead_atomic_file_readable(&file, path), EAD_IO, "a.txt: is not a regular file");
    fputs("ywo", file.stream);
    rewind(file.stream);
    fputs("t", file.stream);
    ASSERT_OK(ead_atomic_file_commit(&file));
    check_arrived(reader, "two");
    ASSERT_OK(ead_atomic_file_open(&file, TARGET));
    fputs("lost", file.stream);
    ead_atomic_file_discard(&file);
    check_arrived(reader, "");
    close(reader);
    ck_assert(S_ISFIFO(info_of(TARGET).st_mode));
    ck_assert_int_eq(files_in(FOLDER), 2);
}
END_TEST

START_TEST(terminals_are_written_through) {
    int master = posix_openpt(O_RDWR | O_NOCTTY);
    SKIP_UNLESS(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0, "no pseudo-terminals");
    const char *name = ptsname(master);
    ck_assert_ptr_nonnull(name);
    int other_end = open(name, O_RDWR | O_NOCTTY); /* or what was written may be gone with its writer */
    ASSERT_OK(write_file(name, "text"));
    check_arrived(master, "text");
    ck_assert(S_ISCHR(info_of(name).st_mode));
    close(other_end);
    close(master);
}
END_TEST

START_TEST(sockets_stay) {
    struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = TARGET};
    int socket_ = socket(AF_UNIX, SOCK_STREAM, 0);
    ck_assert_int_eq(bind(socket_, (struct sockaddr *)&address, sizeof address), 0);
    ASSERT_FAILS(write_file(TARGET, ""), EAD_IO, "a.txt: cannot write: nobody reads from this");
    ck_assert(S_ISSOCK(info_of(TARGET).st_mode));
    close(socket_);
}
END_TEST

/* By the link that /dev/stdout is as a rule, and by its own name; it goes on at its end. */
START_TEST(our_own_output_is_written_through) {
    static const char *const names[] = {FOLDER "/stdout", "/proc/self/fd/1", TARGET};
    symlink("/proc/self/fd/1", FOLDER "/stdout");
    fflush(stdout);
    int before = dup(STDOUT_FILENO), output = open(TARGET, O_RDWR | O_CREAT, 0600);
    ino_t inode = info_of(TARGET).st_ino;
    ck_assert_int_eq(write(output, "head,", 5), 5);
    dup2(output, STDOUT_FILENO);
    EadStatus status = EAD_OK;
    for (int i = 0; i < 3 && status == EAD_OK; i++) status = write_file(names[i], "text,");
    dup2(before, STDOUT_FILENO);
    ASSERT_OK(status);
    close(before);
    close(output);
    assert_file_holds(TARGET, "head,text,text,text,");
    ck_assert_uint_eq(info_of(TARGET).st_ino, inode);
    ck_assert(S_ISLNK(info_of(FOLDER "/stdout").st_mode));
}
END_TEST

int main(void) {
    Suite *suite = suite_create("atomic places");
    TCase *cases = tcase_create("all");
    suite_add_tcase(suite, cases);
    tcase_add_checked_fixture(cases, set_up, NULL);
    tcase_add_test(cases, mode_and_owner_stay);
    tcase_add_test(cases, access_lists_stay);
    tcase_add_test(cases, files_mounted_by_themselves_are_refused);
    tcase_add_test(cases, descriptors_of_files);
    tcase_add_test(cases, owners_that_cannot_be_kept_are_refused);
    tcase_add_test(cases, links_stay);
    tcase_add_test(cases, fifos_are_written_through);
    tcase_add_test(cases, terminals_are_written_through);
    tcase_add_test(cases, sockets_stay);
    tcase_add_test(cases, our_own_output_is_written_through);
    return run_suite(suite);
}
