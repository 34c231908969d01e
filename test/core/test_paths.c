/* What a path means ("~"), and whether two lead to the same place. */
#define S "build/scratch/test_paths/"
#include "core/base/paths.h"

#include "test/support/scratch.h"

#include <stdlib.h>

static void expands(const char *text, const char *expected) {
    char *path;
    ASSERT_OK(ead_path_expand(text, &path));
    ck_assert_str_eq(path, expected);
    free(path);
}

static void refuses(const char *text, const char *says) {
    char *path = (char *)"set";
    ASSERT_FAILS(ead_path_expand(text, &path), EAD_BAD_ARGUMENT, says);
    ck_assert_ptr_null(path);
}

START_TEST(a_tilde_is_the_home_folder) {
    setenv("HOME", "/home/me", 1);
    expands("~", "/home/me");
    expands("~/", "/home/me");
    expands("~/a b/~c", "/home/me/a b/~c");
    expands("~//a", "/home/me/a");
    expands("", "");
    expands("a/~", "a/~");
    expands("./~", "./~");
    expands("/~/x", "/~/x");
    setenv("HOME", "/", 1);
    expands("~/x", "/x");
    refuses("~nobody-of-that-name/data", "write its path out");
    refuses("~nobody-of-that-name", "'~nobody-of-that-name'");
    refuses("~+/data", "'~+/data'");
    setenv("HOME", "", 1);
    refuses("~/x", "HOME is not set");
    unsetenv("HOME");
    refuses("~", "HOME is not set");
}
END_TEST

/* What a shell's pattern may have given. */
START_TEST(a_file_may_begin_with_a_tilde) {
    char here[4096];
    ck_assert_ptr_nonnull(getcwd(here, sizeof here));
    shell_ok("rm -rf " S "; mkdir -p " S "'~backup'; : >" S "'~$part.png'");
    ck_assert_int_eq(chdir(S), 0);
    expands("~$part.png", "~$part.png");
    expands("~backup/new/x.png", "~backup/new/x.png");
    ck_assert_int_eq(chdir(here), 0);
    refuses("~$part.png", "./~$part.png");
}
END_TEST

START_TEST(a_path_from_the_present_folder_on) {
    EadPath here, path;
    ck_assert_ptr_nonnull(getcwd(here, sizeof here));
    ASSERT_OK(ead_path_absolute(path, ""));
    ck_assert_str_eq(path, here);
    ASSERT_OK(ead_path_absolute(path, "/a/b"));
    ck_assert_str_eq(path, "/a/b");
    ASSERT_OK(ead_path_absolute(path, "a/b"));
    ck_assert_str_eq(path + strlen(here), "/a/b");
    path[strlen(here)] = '\0';
    ck_assert_str_eq(path, here);
    /* A folder that is gone has no name. */
    shell_ok("rm -rf " S "; mkdir -p " S "gone");
    ck_assert_int_eq(chdir(S "gone"), 0);
    ck_assert_int_eq(rmdir("../gone"), 0);
    ASSERT_FAILS(ead_path_absolute(path, "a"), EAD_IO, "the present folder");
    ck_assert_int_eq(chdir(here), 0);
}
END_TEST

START_TEST(the_same_place_by_another_name) {
    shell_ok("rm -rf " S "; mkdir -p " S "a/b " S "c; : >" S "a/file; ln " S "a/file " S "hard; ln -s a " S
             "soft; ln -s gone " S "dangling");
    ck_assert(ead_path_same(S "a/file", S "hard") && ead_path_same(S "soft/file", S "hard"));
    ck_assert(ead_path_same(S "a", S "soft") && ead_path_same(S "a/b/..", S "soft/"));
    ck_assert(ead_path_same("", "."));
    ck_assert(!ead_path_same(S "a", S "c") && !ead_path_same(S "dangling", S "dangling"));
    ck_assert(!ead_path_same(S "none", S "none"));
}
END_TEST

START_TEST(below_a_folder) {
    ck_assert(ead_path_lies_within(S "a", S "a") && ead_path_lies_within(S "a/b", S "soft"));
    ck_assert(ead_path_lies_within(S "soft/b", S "a") && ead_path_lies_within(S "c/../soft/b/", S "a"));
    ck_assert(ead_path_lies_within(S "soft/new/one/two", S "a")); /* would be made there */
    ck_assert(ead_path_lies_within(S "a", "") && ead_path_lies_within("", "/"));
    ck_assert(ead_path_lies_within("new", ".") && ead_path_lies_within("/", "/"));
    ck_assert(!ead_path_lies_within(S "a", S "a/b") && !ead_path_lies_within(S "ab", S "a"));
    ck_assert(!ead_path_lies_within(S "c/new", S "a") && !ead_path_lies_within(S "a", S "none"));
    ck_assert(!ead_path_lies_within("/", S "a") && !ead_path_lies_within("", S "a"));
    shell_ok("rm -rf " S);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("paths");
    TCase *tests = tcase_create("paths");
    tcase_add_test(tests, a_tilde_is_the_home_folder);
    tcase_add_test(tests, a_file_may_begin_with_a_tilde);
    tcase_add_test(tests, a_path_from_the_present_folder_on);
    tcase_add_test(tests, the_same_place_by_another_name);
    tcase_add_test(tests, below_a_folder);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
