/* What every Check suite shares: the runner, and skipping of what a machine lacks. */
#pragma once

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

/* Runs the suite without forking (OpenMP's threads do not survive a fork) and returns main()'s exit code. */
static inline int run_suite(Suite *suite) {
    SRunner *runner = srunner_create(suite);
    srunner_set_fork_status(runner, CK_NOFORK);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* Ends the test at once where something it needs is not on this machine; says so. */
#define SKIP_UNLESS(condition, reason)                                                                       \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            printf("skipped: %s: %s\n", __func__, reason);                                                   \
            return;                                                                                          \
        }                                                                                                    \
    } while (0)
