/* Starting threads to see whether it can be done. */
#define _GNU_SOURCE /* syscall, pthread_getattr_default_np */
#include "core/system/openmp_threads.h"

#include "core/base/minmax.h"
#include "core/system/machine.h"

#include <omp.h>
#include <limits.h>
#include <malloc.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* ---- fork() ---- */

/* Whether this process comes from one that had other threads, which may have been OpenMP's, and the host's
 * just as well as ours. */
static atomic_bool is_orphan;
static _Thread_local bool has_others; /* as this thread calls fork() */

static void before_fork(void) {
    struct stat threads; /* a folder has a link for each folder in it, and two of its own */
    has_others = stat("/proc/self/task", &threads) != 0 || threads.st_nlink > 3;
}

static void after_fork(void) {
    if (has_others) atomic_store(&is_orphan, true);
}

__attribute__((constructor)) static void watch_forks(void) {
    pthread_atfork(before_fork, NULL, after_fork);
}

/* ---- address space ---- */

static atomic_bool share_an_arena;

void ead_threads_save_space(void) {
    const size_t stack = (size_t)2 << 20;
    pthread_attr_t usual;
    size_t larger;
    if (ead_machine_address_space() == SIZE_MAX) return;
    atomic_store(&share_an_arena, mallopt(M_ARENA_MAX, 1) == 1);
    if (pthread_getattr_default_np(&usual) != 0) return;
    if (pthread_attr_getstacksize(&usual, &larger) == 0 && larger > stack &&
        pthread_attr_setstacksize(&usual, stack) == 0)
        pthread_setattr_default_np(&usual);
    pthread_attr_destroy(&usual);
}

/* ---- starting threads ---- */

/* Without a unit they are counted in KiB. */
size_t ead_openmp_stack(void) {
    static const char units[] = "bkmg";
    const char *text = getenv("OMP_STACKSIZE");
    char *end;
    if (!text && !(text = getenv("GOMP_STACKSIZE"))) return 0;
    unsigned long long size = strtoull(text, &end, 10);
    end += strspn(end, " ");
    const char *unit = *end ? strchr(units, *end | ' ') : units + 1;
    int shift = unit ? 10 * (int)(unit - units) : 0;
    return !unit || size > SIZE_MAX >> shift ? 0 : (size_t)size << shift;
}

/* How many threads half of the address space that is left has room for. A thread takes its stack and, when it
 * first allocates, as LLVM's OpenMP lets it do at once, an arena of the C library's, unless threads share one, which ends
 * the space for the next. */
static int threads_with_room(size_t stack) {
    const size_t arena = atomic_load(&share_an_arena) ? 0 : (size_t)64 << 20;
    size_t left = ead_machine_address_space();
    pthread_attr_t usual;
    if (left == SIZE_MAX) return INT_MAX;
    if (stack == 0 && pthread_getattr_default_np(&usual) == 0) {
        pthread_attr_getstacksize(&usual, &stack);
        pthread_attr_destroy(&usual);
    }
    return stack > left ? 1 : ead_min((int64_t)(left / 2 / (stack + arena)) + 1, INT_MAX);
}

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

/* How many of `wanted` threads to use, the caller among them: half of those that can be had where these are
 * fewer, as something else may want some of them, or the memory that their stacks would take. */
static int try_threads(int wanted) {
    sigset_t all, before;
    pthread_attr_t attributes;
    size_t stack = ead_openmp_stack();
    int started = 0;
    wanted = ead_min(wanted, threads_with_room(stack));
    if (pthread_attr_init(&attributes) != 0) return 1;
    if (stack > 0) pthread_attr_setstacksize(&attributes, stack);
    Trial trial = {.gate = PTHREAD_MUTEX_INITIALIZER,
                   .ids = malloc((size_t)wanted * sizeof *trial.ids),
                   .kernel_ids = calloc((size_t)wanted, sizeof *trial.kernel_ids)};
    pthread_mutex_lock(&trial.gate);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    while (trial.ids && trial.kernel_ids && started < wanted - 1 &&
           pthread_create(&trial.ids[started], &attributes, pass, &trial) == 0)
        started++;
    pthread_mutex_unlock(&trial.gate);
    for (int i = 0; i < started; i++) pthread_join(trial.ids[i], NULL);
    for (int i = 0; i < started; i++) wait_until_gone(trial.kernel_ids[i]);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    free(trial.ids);
    free(trial.kernel_ids);
    return started == wanted - 1 ? wanted : ead_max(started / 2, 1);
}

int ead_openmp_threads(void) {
    static _Thread_local int tried = 1, possible = 1;
    int wanted = omp_get_max_threads();
    if (atomic_load(&is_orphan)) return 1;
    if (wanted <= tried || omp_get_active_level() >= omp_get_max_active_levels())
        return ead_min(wanted, tried > possible ? possible : wanted);
    int started = 0;
    tried = wanted;
    possible = try_threads(wanted);
#pragma omp parallel num_threads(possible) reduction(+ : started)
    started++; /* OpenMP starts its threads now */
    return possible = started;
}
