/* Starting threads to see whether it can be done. */
#define _GNU_SOURCE /* syscall */
#include "core/system/openmp_threads.h"

#include "core/base/minmax.h"

#include <omp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

typedef struct Trial {
    pthread_mutex_t gate; /* held until all are there */
    pthread_t *ids;
    atomic_long *kernel_ids;
    atomic_int arrived;
} Trial;

static void *pass(void *context) {
    Trial *trial = context;
    trial->kernel_ids[atomic_fetch_add(&trial->arrived, 1)] = syscall(SYS_gettid);
    pthread_mutex_lock(&trial->gate);
    pthread_mutex_unlock(&trial->gate);
    return NULL;
}

/* A thread that has been joined may still count for the system's limits. */
static void wait_until_gone(long kernel_id) {
    enum { PATIENCE = 10000 };
    for (int i = 0; i < PATIENCE && syscall(SYS_tgkill, getpid(), kernel_id, 0) == 0; i++) sched_yield();
}

/* How many of `wanted` threads to use, the caller among them: half of those that can be had where these are fewer, as
 * something else may want some of them, or the memory that their stacks would take. */
static int try_threads(int wanted) {
    sigset_t all, before;
    int started = 0;
    Trial trial = {.gate = PTHREAD_MUTEX_INITIALIZER,
                   .ids = malloc((size_t)wanted * sizeof *trial.ids),
                   .kernel_ids = calloc((size_t)wanted, sizeof *trial.kernel_ids)};
    pthread_mutex_lock(&trial.gate);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    while (trial.ids && trial.kernel_ids && started < wanted - 1 &&
           pthread_create(&trial.ids[started], NULL, pass, &trial) == 0)
        started++;
    pthread_mutex_unlock(&trial.gate);
    for (int i = 0; i < started; i++) pthread_join(trial.ids[i], NULL);
    for (int i = 0; i < started; i++) wait_until_gone(trial.kernel_ids[i]);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    free(trial.ids);
    free(trial.kernel_ids);
    return started == wanted - 1 ? wanted : ead_max(started / 2, 1);
}

int ead_openmp_threads(void) {
    static atomic_long user; /* the process that uses OpenMP */
    static _Thread_local int tried = 1, possible = 1;
    long self = getpid(), nobody = 0;
    int wanted = omp_get_max_threads();
    bool child = !atomic_compare_exchange_strong(&user, &nobody, self) && nobody != self;
    if (child) return 1;
    if (wanted <= tried || omp_get_active_level() >= omp_get_max_active_levels())
        return ead_min(wanted, tried > possible ? possible : wanted);
    int started = 0;
    tried = wanted;
    possible = try_threads(wanted);
#pragma omp parallel num_threads(possible) reduction(+ : started)
    started++; /* OpenMP starts its threads now */
    return possible = started;
}
