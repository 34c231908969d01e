/* What `make install` puts down is enough for other programs: the example in the public header is compiled
 * with the flags of the pkg-config file, against the shared and the static library, and gives the library's
 * score. */
#include "test/support/runs.h"
#include "test/support/sample_models.h"
#include "test/support/scratch.h"

#define FOLDER "build/scratch/test_install/"
#define ROOT   FOLDER "root"
/* ROOT is a link to a folder with a blank in its name. */
#define BLANK "'" FOLDER "a root'"
/* As a distribution does it that keeps libraries of several architectures. */
#define LIB  "/usr/lib/some-architecture"
#define MAKE "env -u MAKEFLAGS -u MAKELEVEL -u MFLAGS make -s DESTDIR=" BLANK " PREFIX=/usr LIBDIR=" LIB " "

enum { WIDTH = 50, HEIGHT = 40 };

static const char head[] = "#include <stdio.h>\n#include <stdlib.h>\n";
static const char main_start[] = "int main(void) {\n    int width = 50, height = 40;\n"
                                 "    unsigned char *rgb = calloc((size_t)width * (size_t)height, 3);\n";
static const char end[] = "    free(map);\n    free(rgb);\n    return 0;\n}\n";

/* The indented lines of the header's first comment; the first of them is the #include. */
static void write_example(const char *path) {
    char *header = read_text(ROOT "/usr/include/efficientad.h"), *line = strtok(header, "\n");
    FILE *out = fopen(path, "w");
    ck_assert_ptr_nonnull(out);
    fputs(head, out);
    for (int lines = 0; line && !strstr(line, "*/"); line = strtok(NULL, "\n")) {
        if (strncmp(line, " *     ", 7) != 0) continue;
        fprintf(out, "%s\n%s", line + 7, lines++ == 0 ? main_start : "");
    }
    fputs(end, out);
    ck_assert_int_eq(fclose(out), 0);
    free(header);
}

/* pkg-config on the installed file alone, as if ROOT were the machine. */
#define PKG_CONFIG                                                                                           \
    "env PKG_CONFIG_ALLOW_SYSTEM_CFLAGS=1 PKG_CONFIG_ALLOW_SYSTEM_LIBS=1 PKG_CONFIG_SYSROOT_DIR=$PWD/" ROOT  \
    " PKG_CONFIG_PATH=" ROOT LIB "/pkgconfig pkg-config "

static void build_and_run(const char *libraries) {
    char command[2048], expected[64];
    static uint8_t black[WIDTH * HEIGHT * 3];
    float score;
    EadDetector *detector;
    snprintf(command, sizeof command,
             "${CC:-cc} -std=c11 -Wall -Wextra -Werror -o " FOLDER "example " FOLDER "example.c $(" PKG_CONFIG
             "--cflags efficientad) %s",
             libraries);
    ck_assert_msg(shell(command) == 0, "failed: %s", command);
    ck_assert_int_eq(shell("cd " FOLDER " && LD_LIBRARY_PATH=root" LIB " ./example >output"), 0);
    ASSERT_OK((EadStatus)ead_detector_open(FOLDER "model.safetensors", &detector));
    ASSERT_OK((EadStatus)ead_detector_run(detector, black, WIDTH, HEIGHT, 3 * WIDTH, NULL, &score));
    ead_detector_close(detector);
    snprintf(expected, sizeof expected, "%g\n", (double)score);
    char *output = read_text(FOLDER "output");
    ck_assert_str_eq(output, expected);
    free(output);
}

/* What is the user's, or another version's, stays, and nothing else. */
static void uninstall(void) {
    static const char *const others[] = {"/share/efficientad/my_teacher.safetensors",
                                         "/share/efficientad/configs/mine.yaml",
                                         "/lib/some-architecture/libefficientad.so.1"};
    char command[512];
    for (int i = 0; i < COUNT(others); i++) {
        snprintf(command, sizeof command, "echo mine >" ROOT "/usr%s", others[i]);
        shell_ok(command);
    }
    shell_ok(MAKE "uninstall >/dev/null");
    for (int i = 0; i < COUNT(others); i++) {
        snprintf(command, sizeof command, "rm " ROOT "/usr%s", others[i]);
        shell_ok(command);
    }
    shell_ok("test -z \"$(find " ROOT "/ ! -type d)\"");
}

START_TEST(the_headers_example_builds_and_runs) {
    const char *library = getenv("LIBRARY");
    SKIP_UNLESS(library && strcmp(library, "build/libefficientad") == 0,
                "not the release build under make test");
    SKIP_UNLESS(shell("pkg-config --version >/dev/null 2>&1") == 0, "no pkg-config");
    ck_assert_int_eq(shell("rm -rf " FOLDER " && mkdir -p " BLANK " && ln -s 'a root' " ROOT), 0);
    save_tiny_model(FOLDER "model.safetensors", 0.5f, NULL);
    /* A make of its own, without the flags of the one that runs the tests. */
    ck_assert_int_eq(shell(MAKE "install >/dev/null"), 0);
    ck_assert_int_eq(shell(ROOT "/usr/bin/efficientad --version >/dev/null"), 0);
    /* A config by its name: what is missing is the data set. */
    ck_assert_int_eq(shell("cd " ROOT
                           " && ! usr/bin/efficientad train -c patchcore 2>said && grep -q dataset.path said"
                           " && ! grep -q 'patchcore: cannot open' said; code=$?; rm said; exit $code"),
                     0);
    write_example(FOLDER "example.c");
    build_and_run("$(" PKG_CONFIG "--libs efficientad)");
    ck_assert_int_eq(shell("rm " ROOT LIB "/libefficientad.so"), 0);
    build_and_run("$(" PKG_CONFIG "--static --libs efficientad)");
    /* The version stands in one file. */
    ck_assert_int_eq(shell("test $(" PKG_CONFIG "--modversion efficientad) = $(cat VERSION)"), 0);
    ck_assert_int_eq(shell("test -f " ROOT LIB "/libefficientad.so.$(cat VERSION) -a -L " ROOT LIB
                           "/libefficientad.so.$(cut -d. -f1 VERSION)"),
                     0);
    ck_assert_int_eq(shell("grep -q '^.TH EFFICIENTAD 1' " ROOT "/usr/share/man/man1/efficientad.1"), 0);
    ck_assert_int_eq(shell("bash -n " ROOT "/usr/share/bash-completion/completions/efficientad"), 0);
    assert_file_holds(ROOT "/usr/share/bash-completion/completions/efficientad", "efficientad_s fastflow ");
    if (shell("c++ --version >/dev/null 2>&1") == 0)
        ck_assert_int_eq(
            shell("c++ -Wall -Wextra -Werror -fsyntax-only -x c++ " ROOT "/usr/include/efficientad.h"), 0);
    uninstall();
}
END_TEST

/* The source package builds without git: it holds all that make asks for. */
START_TEST(the_source_package_is_complete) {
    SKIP_UNLESS(shell("git rev-parse HEAD >/dev/null 2>&1") == 0, "not in a clone");
    ck_assert_int_eq(shell(MAKE "dist >/dev/null && rm -rf " FOLDER "dist && mkdir -p " FOLDER
                                "dist && tar -C " FOLDER "dist -xzf build/efficientad-$(cat VERSION).tar.gz"),
                     0);
    ck_assert_int_eq(shell("cd " FOLDER
                           "dist/efficientad-* && env -u MAKEFLAGS -u MAKELEVEL -u MFLAGS make -n all |"
                           " grep -q 'CC train/main.c'"),
                     0);
}
END_TEST

static Suite *make_suite(void) {
    Suite *suite = suite_create("install");
    TCase *install = tcase_create("install");
    tcase_set_timeout(install, 300);
    tcase_add_test(install, the_headers_example_builds_and_runs);
    tcase_add_test(install, the_source_package_is_complete);
    suite_add_tcase(suite, install);
    return suite;
}

int main(void) {
    return run_suite(make_suite());
}
