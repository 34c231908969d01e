/* What every Check suite shares: the runner, and skipping of what a machine lacks. */
#pragma once

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

/* Whether the test is built under a sanitizer that needs much address space of its own. gcc and clang tell it
 * differently. */
#ifndef __has_feature
#define __has_feature(name) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || __has_feature(address_sanitizer) ||     \
    __has_feature(thread_sanitizer)
#define SANITIZED 1
#else
#define SANITIZED 0
#endif

/* Runs the suite without forking (OpenMP's threads do not survive a fork) and returns main()'s exit code. */
static inline int run_suite(Suite *suite) {
    SRunner *runner = srunner_create(suite);
    setenv("CK_MAX_MSG_SIZE", "32768",
           0); /* what a program said may be long; Check ends the suite at 8192 else */
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
