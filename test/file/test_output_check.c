/* Outputs that cannot be written are told before, and the telling leaves nothing. */
#define S "build/scratch/test_output_check/"
#include "core/file/output_check.h"

#include "core/base/paths.h"
#include "test/support/scratch.h"

#include <string.h>
#include <sys/resource.h>

START_TEST(folders) {
    shell_ok("rm -rf " S "; mkdir -p " S "there; : >" S "file; ln -s gone " S "dangling; ln -s there " S
             "link");
    ASSERT_OK(ead_check_output_folder(S "there", "--o"));
    ASSERT_OK(ead_check_output_folder(S "link/new/below", "--o"));
    ASSERT_OK(ead_check_output_folder(S "new/below/", "--o"));
    ASSERT_OK(ead_check_output_folder("", "--o"));
    ASSERT_FAILS(ead_check_output_folder(S "file", "--o"), EAD_IO, S "file: cannot write here: ");
    ASSERT_FAILS(ead_check_output_folder(S "file/new", "--o"), EAD_IO,
                 "is not a folder; --o names another place");
    ASSERT_FAILS(ead_check_output_folder(S "dangling/new", "--o"), EAD_IO,
                 S "dangling/new: cannot write here: " S
                   "dangling is a link to gone, where nothing is; make that "
                   "folder, or delete the link; --o names another place");
    ck_assert(!exists(S "new") && !exists(S "gone"));
    ck_assert_int_eq(files_in(S "there"), 0);
    /* No name that somebody can know and have taken. */
    shell_ok("mkdir " S "there/.efficientad-try " S "link/.efficientad-");
    ASSERT_OK(ead_check_output_folder(S "there", "--o"));
    shell_ok("rmdir " S "there/.efficientad-try " S "link/.efficientad-");
    /* 255 bytes is the most that ext4, tmpfs, XFS and btrfs take. */
    char longest[255 + 2];
    memset(longest, 'n', 256);
    longest[256] = '\0';
    EadPath path;
    ASSERT_OK(ead_path_in(path, S "there/new", longest));
    ASSERT_FAILS(ead_check_output_folder(path, "--o"), EAD_IO,
                 "a name of 256 bytes; there are at most 255; --o");
    ASSERT_OK(ead_path_in(path, S "there/new", longest + 1));
    ASSERT_OK(ead_check_output_folder(path, "--o"));
    ck_assert_int_eq(files_in(S "there"), 0);
    if (geteuid() == 0) return; /* who may write everywhere */
    shell_ok("mkdir " S "closed; chmod 500 " S "closed");
    ASSERT_FAILS(ead_check_output_folder(S "closed", "--o"), EAD_IO, "Permission denied");
    ASSERT_FAILS(ead_check_output_folder(S "closed/new", "--o"), EAD_IO, "Permission denied; --o names");
}
END_TEST

START_TEST(files) {
    shell_ok("rm -rf " S "; mkdir -p " S "there/sub; echo old >" S "there/old; mkfifo " S "fifo");
    ASSERT_OK(ead_check_output_file(S "there/new", "--o"));
    ASSERT_OK(ead_check_output_file(S "there/old", "--o"));
    ASSERT_OK(ead_check_output_file(S "new/new", "--o"));
    ASSERT_OK(ead_check_output_file(S "fifo", "--o")); /* and nobody who reads from it is disturbed */
    ASSERT_OK(ead_check_output_file("/dev/null", "--o"));
    assert_file_holds(S "there/old", "old\n");
    ck_assert_int_eq(files_in(S "there"), 2);
    shell_ok("ln -s new " S "there/leads; ln -s none/new " S "there/dangling");
    ASSERT_OK(ead_check_output_file(S "there/leads", "--o")); /* it will be made */
    ASSERT_FAILS(ead_check_output_file(S "there/dangling", "--o"), EAD_IO,
                 S "there/dangling: cannot write: it is a link to " S
                   "there/none/new, whose folder is not there; "
                   "make that, or delete the link; --o names another place");
    ASSERT_FAILS(ead_check_output_file(S "there/sub", "--o"), EAD_IO, "it is a folder");
    ASSERT_FAILS(ead_check_output_file(S "there/old/new", "--o"), EAD_IO, "is not a folder; --o names");
}
END_TEST

START_TEST(room) {
    struct rlimit old, less;
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &old), 0);
    less = old;
    less.rlim_cur = 1000000;
    ASSERT_OK(ead_check_room(S "new/file", 1000001, 0));
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &less), 0);
    EadStatus enough = ead_check_room(S "new/file", 1000000, 0),
              special = ead_check_room("/dev/null", 1 << 30, 0);
    EadStatus more = ead_check_room(S "new/file", 1000001, 0);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &old), 0);
    ck_assert(enough == EAD_OK && special == EAD_OK && more == EAD_IO);
    assert_contains(ead_error_message(), "files may have 1 MB (ulimit -f)");
    ASSERT_FAILS(ead_check_room(S "new/file", UINT64_MAX / 2, 0), EAD_IO, "but its disk has room for ");
    /* What is there at the same time counts, without an overflow of the sum. */
    ASSERT_FAILS(ead_check_room(S "new/file", 2000000, UINT64_MAX), EAD_IO,
                 "it takes 2 MB and 1.845e+13 MB beside it, but its disk has room for ");
}
END_TEST

START_TEST(two_outputs_of_one_name) {
    shell_ok("rm -rf " S "; mkdir -p " S "a " S "b; ln -s a " S "link; : >" S "a/x; ln " S "a/x " S "b/y");
    ck_assert(ead_outputs_collide(S "a/new", S "link/new") && ead_outputs_collide(S "a/x", S "b/y"));
    ck_assert(ead_outputs_collide("new", "./new") && ead_outputs_collide(S "none/new", S "none/new"));
    ck_assert(!ead_outputs_collide(S "a/new", S "b/new") && !ead_outputs_collide(S "a/x", S "a/y"));
    ck_assert(!ead_outputs_collide("/dev/null", "/dev/null"));
    shell_ok("ln -s ../a/none " S "b/leads; ln -s leads " S "b/on; ln -s " S "b/self " S "b/self");
    ck_assert(ead_outputs_collide(S "b/leads", S "a/none") && ead_outputs_collide(S "link/none", S "b/on"));
    ck_assert(ead_outputs_collide(S "no/../b/on/", S "a/none") && !ead_outputs_collide(S "b/on", S "b/none"));
    ck_assert(!ead_outputs_collide(S "b/self", S "a/none"));
    ck_assert(ead_output_lies_within(S "link/no/../new/x", S "a") &&
              ead_output_lies_within(S "a/", S "link"));
    ck_assert(ead_output_lies_within(S "b/on", S "a") && !ead_output_lies_within(S "link/x", S "b"));
    ck_assert(!ead_output_lies_within(S "ab", S "a") && ead_output_lies_within("new", "."));
    shell_ok("rm -rf " S);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("output_check");
    TCase *tests = tcase_create("output_check");
    tcase_add_test(tests, folders);
    tcase_add_test(tests, files);
    tcase_add_test(tests, room);
    tcase_add_test(tests, two_outputs_of_one_name);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
