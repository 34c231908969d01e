/* The restart with better kernels: this program stands in for efficientad and plays an OpenBLAS that takes
 * every CPU for a Prescott. */
#include "test/support/suite.h"

#include "core/base/blas.h"
#include "train/cli/openblas_restart.h"

#include <cblas.h>
#include <string.h>
#include <unistd.h>

/* Linked before OpenBLAS's own. */
char *openblas_get_corename(void) {
    static char core[] = "Prescott";
    return core;
}

/* Runs this program as `play WORD...` and keeps what it prints. */
static void run_play(const char *environment, char *output, size_t size) {
    char self[1024], command[2048];
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    ck_assert_int_gt(length, 0);
    self[length] = '\0';
    snprintf(command, sizeof command, "echo input | env %s '%s' play 'two words'", environment, self);
    FILE *pipe = popen(command, "r");
    ck_assert_ptr_nonnull(pipe);
    output[fread(output, 1, size - 1, pipe)] = '\0';
    ck_assert_int_eq(pclose(pipe), 0);
}

/* Says which process it is, with which arguments, which core type it was told, and what its input holds. */
static int play(int argc, char **argv) {
    char input[32] = "";
    printf("started with %d arguments\n", argc);
    fflush(stdout);
    ead_restart_for_openblas(argv);
    const char *told = getenv("OPENBLAS_CORETYPE");
    if (!fgets(input, sizeof input, stdin)) return EXIT_FAILURE;
    printf("%s, %s, %s", argv[2], told ? told : "untold", input);
    return EXIT_SUCCESS;
}

START_TEST(restarts_once_with_the_better_kernels) {
    const char *better = ead_blas_better_core();
    SKIP_UNLESS(better, "no better kernels than Prescott's on this CPU");
    char output[512], expected[512];
    run_play("-u OPENBLAS_CORETYPE", output, sizeof output);
    snprintf(expected, sizeof expected,
             "started with 3 arguments\nstarted with 3 arguments\ntwo words, %s, input\n", better);
    ck_assert_str_eq(output, expected);
}
END_TEST

START_TEST(leaves_the_choice_of_the_user) {
    char output[512];
    run_play("OPENBLAS_CORETYPE=Prescott", output, sizeof output);
    ck_assert_str_eq(output, "started with 3 arguments\ntwo words, Prescott, input\n");
}
END_TEST

int main(int argc, char **argv) {
    if (argc == 3 && strcmp(argv[1], "play") == 0) return play(argc, argv);
    Suite *suite = suite_create("openblas_restart");
    TCase *tests = tcase_create("openblas_restart");
    tcase_add_test(tests, restarts_once_with_the_better_kernels);
    tcase_add_test(tests, leaves_the_choice_of_the_user);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
