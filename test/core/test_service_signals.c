/* The end of a service: in its time, whatever its threads wait for. */
#include "core/system/service_signals.h"

#include "core/system/clock.h"
#include "test/support/scratch.h"

#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { BEFORE = 'b', LATE = 'l', SERVING = 's' };

/* Tells by a pipe which of its two calls it was. */
static void tell(void *context, bool late) {
    const int *pipe_end = context;
    if (write(*pipe_end, (char[]){late ? LATE : BEFORE}, 1) != 1) _exit(3);
}

/* A process that takes signals, serves or not, and then does nothing for ever. */
static pid_t start_stuck(bool serving, double timeout, int *from) {
    int ends[2];
    ck_assert_int_eq(pipe(ends), 0);
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        EadServiceSignals *signals;
        if (ead_service_signals_start(&(EadServiceEnd){timeout, tell, &ends[1]}, &signals) != EAD_OK)
            _exit(4);
        if (serving) ead_service_signals_serve(signals);
        if (write(ends[1], (char[]){SERVING}, 1) != 1) _exit(5);
        for (;;) nanosleep(&(struct timespec){.tv_sec = 3600}, NULL);
    }
    close(ends[1]);
    *from = ends[0];
    return child;
}

static char next(int from) {
    char byte = 0;
    return read(from, &byte, 1) == 1 ? byte : '\0';
}

START_TEST(a_process_that_is_stuck_ends) {
    static const int numbers[] = {SIGTERM, SIGINT, SIGQUIT, SIGUSR1, SIGUSR2, SIGXCPU, SIGVTALRM};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        int from, code;
        pid_t child = start_stuck(true, 0, &from);
        ck_assert_int_eq(next(from), SERVING);
        double begin = ead_clock_seconds();
        kill(child, numbers[i]);
        ck_assert_int_eq(next(from), LATE);
        ck_assert_int_eq(waitpid(child, &code, 0), child);
        ck_assert_msg(WIFEXITED(code) && WEXITSTATUS(code) == 1, "signal %d: %x", numbers[i], (unsigned)code);
        ck_assert_double_lt(ead_clock_seconds() - begin, 10);
        close(from);
    }
}
END_TEST

START_TEST(a_second_signal_ends_the_time) {
    int from, code;
    pid_t child = start_stuck(true, 3600, &from);
    ck_assert_int_eq(next(from), SERVING);
    kill(child, SIGTERM);
    pause_for(0.3);
    ck_assert_int_eq(waitpid(child, &code, WNOHANG), 0);
    kill(child, SIGINT);
    ck_assert_int_eq(next(from), LATE);
    ck_assert_int_eq(waitpid(child, &code, 0), child);
    close(from);
}
END_TEST

START_TEST(before_it_serves_a_signal_ends_it_as_usual) {
    static const int numbers[] = {SIGTERM, SIGINT, SIGUSR1};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        int from, code;
        pid_t child = start_stuck(false, 3600, &from);
        ck_assert_int_eq(next(from), SERVING);
        kill(child, numbers[i]);
        ck_assert_int_eq(next(from), BEFORE);
        ck_assert_int_eq(waitpid(child, &code, 0), child);
        ck_assert(WIFSIGNALED(code) && WTERMSIG(code) == numbers[i]);
        close(from);
    }
}
END_TEST

static void never(void *context, bool late) {
    (void)context, (void)late;
    _exit(3);
}

/* In a process of its own: the signals stay blocked. */
START_TEST(reloads_and_ends_are_waited_for) {
    EadServiceSignals *signals;
    ASSERT_OK(ead_service_signals_start(&(EadServiceEnd){.timeout = 3600, .cut_off = never}, &signals));
    ead_service_signals_serve(signals);
    ck_assert_int_eq(ead_service_signals_wait(signals, 0, 0.01), 0);
    kill(getpid(), SIGHUP);
    ck_assert(ead_service_signals_reload(signals));
    kill(getpid(), SIGUSR2);
    ck_assert_int_eq(ead_service_signals_wait(signals, 0, 60), 1);
    ck_assert(!ead_service_signals_reload(signals));
    ck_assert_int_eq(ead_service_signals_wait(signals, 1, 0.01), 1);
    ead_service_signals_end(signals);
    ead_service_signals_end(NULL);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("service signals");
    TCase *tests = tcase_create("signals");
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, a_process_that_is_stuck_ends);
    tcase_add_test(tests, a_second_signal_ends_the_time);
    tcase_add_test(tests, before_it_serves_a_signal_ends_it_as_usual);
    tcase_add_test(tests, reloads_and_ends_are_waited_for);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
