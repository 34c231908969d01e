/* A thread in sigtimedwait(). */
#include "core/system/service_signals.h"

#include "core/base/memory.h"
#include "core/system/clock.h"
#include "core/system/worker_threads.h"

#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static const double grace = 2; /* seconds in which threads may end that have nothing to wait for */

struct EadServiceSignals {
    EadServiceEnd end;
    sigset_t signals; /* that are waited for */
    bool serving, reload, over;
    int ends;        /* how often the end was asked for */
    double deadline; /* INFINITY before */
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    EadWorkers thread;
};

/* Whether a signal that nobody has taken ends a process, and is neither a fault of the program's nor for a terminal. */
static bool ends_process(int number) {
    static const int others[] = {SIGABRT, SIGBUS,  SIGFPE,   SIGILL,  SIGSEGV, SIGSYS,
                                 SIGTRAP, SIGKILL, SIGSTOP,  SIGTSTP, SIGTTIN, SIGTTOU,
                                 SIGCONT, SIGCHLD, SIGWINCH, SIGURG,  SIGPIPE};
    struct sigaction action;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (number == others[i]) return false;
    return sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_DFL;
}

static void choose_signals(sigset_t *signals) {
    sigemptyset(signals);
    sigaddset(signals, SIGTERM); /* these also where a shell has them ignored */
    sigaddset(signals, SIGINT);
    sigaddset(signals, SIGHUP);
    for (int number = 1; number <= SIGRTMAX; number++)
        if (ends_process(number)) sigaddset(signals, number);
}

/* As though the signal had come to a program that does not know it. */
static void die_by(int number) {
    sigset_t one;
    signal(number, SIG_DFL);
    sigemptyset(&one);
    sigaddset(&one, number);
    pthread_sigmask(SIG_UNBLOCK, &one, NULL);
    raise(number);
    _exit(EXIT_FAILURE); /* process 1 of a container, whom signals do not end */
}

/* The next signal, or 0 after a while. */
static int next_signal(const EadServiceSignals *signals, double deadline) {
    const struct timespec moment = {.tv_nsec = 50000000};
    int number = isinf(deadline) ? sigwaitinfo(&signals->signals, NULL)
                                 : sigtimedwait(&signals->signals, NULL, &moment);
    return number > 0 ? number : 0;
}

/* Under the mutex. */
static void take_signal(EadServiceSignals *signals, int number) {
    double now = ead_clock_seconds();
    if (number == SIGHUP) {
        signals->reload = true;
    } else if (!signals->serving) {
        signals->end.cut_off(signals->end.context, false);
        die_by(number);
    } else {
        signals->deadline = signals->ends++ == 0 ? now + signals->end.timeout : now;
    }
    pthread_cond_broadcast(&signals->changed);
}

static void *work(void *context) {
    EadServiceSignals *signals = context;
    double deadline = INFINITY;
    for (bool over = false; !over;) {
        int number = next_signal(signals, deadline);
        pthread_mutex_lock(&signals->mutex);
        over = signals->over;
        if (number && !over) take_signal(signals, number);
        deadline = signals->deadline;
        pthread_mutex_unlock(&signals->mutex);
        if (over || ead_clock_seconds() < deadline + grace) continue;
        signals->end.cut_off(signals->end.context, true);
        _exit(EXIT_FAILURE);
    }
    return NULL;
}

EadStatus ead_service_signals_start(const EadServiceEnd *end, EadServiceSignals **out) {
    EadServiceSignals *signals = *out = ead_new(1, sizeof *signals, "the signals");
    pthread_condattr_t clock;
    if (!signals) return EAD_NO_MEMORY;
    *signals = (EadServiceSignals){.end = *end, .deadline = INFINITY, .mutex = PTHREAD_MUTEX_INITIALIZER};
    pthread_condattr_init(&clock);
    pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    pthread_cond_init(&signals->changed, &clock);
    pthread_condattr_destroy(&clock);
    signal(SIGPIPE, SIG_IGN);
    choose_signals(&signals->signals);
    pthread_sigmask(SIG_BLOCK, &signals->signals, NULL);
    EadStatus status = ead_workers_start(&signals->thread, 1, work, signals);
    if (status == EAD_OK) return EAD_OK;
    ead_service_signals_end(signals);
    *out = NULL;
    return status;
}

void ead_service_signals_serve(EadServiceSignals *signals) {
    pthread_mutex_lock(&signals->mutex);
    signals->serving = true;
    pthread_mutex_unlock(&signals->mutex);
}

int ead_service_signals_wait(EadServiceSignals *signals, int known, double seconds) {
    struct timespec end;
    clock_gettime(CLOCK_MONOTONIC, &end);
    long nanoseconds = end.tv_nsec + (long)(1e9 * (seconds - floor(seconds)));
    end.tv_sec += (time_t)seconds + nanoseconds / 1000000000;
    end.tv_nsec = nanoseconds % 1000000000;
    pthread_mutex_lock(&signals->mutex);
    int code = 0;
    while (signals->ends <= known && code == 0)
        code = pthread_cond_timedwait(&signals->changed, &signals->mutex, &end);
    int ends = signals->ends;
    pthread_mutex_unlock(&signals->mutex);
    return ends;
}

bool ead_service_signals_reload(EadServiceSignals *signals) {
    pthread_mutex_lock(&signals->mutex);
    while (!signals->reload && !signals->ends) pthread_cond_wait(&signals->changed, &signals->mutex);
    bool wanted = !signals->ends;
    signals->reload = false;
    pthread_mutex_unlock(&signals->mutex);
    return wanted;
}

void ead_service_signals_end(EadServiceSignals *signals) {
    if (!signals) return;
    pthread_mutex_lock(&signals->mutex);
    signals->over = true;
    pthread_mutex_unlock(&signals->mutex);
    if (signals->thread.count > 0) pthread_kill(signals->thread.ids[0], SIGHUP); /* wakes it */
    ead_workers_join(&signals->thread);
    pthread_cond_destroy(&signals->changed);
    pthread_mutex_destroy(&signals->mutex);
    free(signals);
}
