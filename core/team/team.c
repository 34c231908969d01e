/* Each thread that begins a region has workers of its own, which it keeps until it ends. Between regions they wait for the next;
 * signal `regions` counts them and says in its lowest bits for how many threads each is, so that who oversleeps a region
 * that is not for him cannot take the next one's size for it. */
#define _GNU_SOURCE /* syscall */
#include "core/team/team_parts.h"

#include "core/system/clock.h"
#include "core/system/openmp_threads.h"

#include <limits.h>
#include <linux/futex.h>
#include <omp.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* ---- waiting ---- */

/* A word that threads wait for a change of, on a cache line of its own. */
typedef struct Signal {
    _Alignas(64) atomic_uint value;
    atomic_int sleepers;
} Signal;

enum { ROUNDS = 32 }; /* between looks at the clock */

static void pause_briefly(void) {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

static bool spin(Signal *signal, unsigned seen, double patience) {
    double begun = patience > 0 ? ead_clock_seconds() : 0;
    do {
        for (int i = 0; i < ROUNDS; i++) {
            if (atomic_load_explicit(&signal->value, memory_order_acquire) != seen) return true;
            pause_briefly();
        }
    } while (patience > 0 && ead_clock_seconds() - begun < patience);
    return false;
}

/* Waits until the value is no longer `seen`, so many seconds awake and then asleep, and returns it. */
static unsigned await_change(Signal *signal, unsigned seen, double patience) {
    if (!spin(signal, seen, patience)) {
        atomic_fetch_add(&signal->sleepers, 1);
        while (atomic_load(&signal->value) == seen)
            syscall(SYS_futex, &signal->value, FUTEX_WAIT_PRIVATE, seen, NULL, NULL, 0);
        atomic_fetch_sub(&signal->sleepers, 1);
    }
    return atomic_load_explicit(&signal->value, memory_order_acquire);
}

/* To be called when the value has changed. */
static void wake(Signal *signal) {
    if (atomic_load(&signal->sleepers) > 0)
        syscall(SYS_futex, &signal->value, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
}

/* Nobody who waits longer than this spins: the processor is for what is waited for, or for others. It is about what waking a
 * sleeper costs. Where there are more threads than processors, each of them is needed. */
static double patience_of(int threads) {
    const char *policy = getenv("OMP_WAIT_POLICY");
    bool passive = policy && (*policy | ' ') == 'p';
    return passive || threads > omp_get_num_procs() ? 0 : 1e-4;
}

/* ---- teams ---- */

enum { SIZE_BITS = 11, MOST = 1 << 10 };

typedef struct Worker {
    EadTeam *team;
    pthread_t id;
    int number;
    unsigned seen; /* the last region that it is not for */
} Worker;

struct EadTeam {
    void (*work)(void *);
    void *data;
    int size; /* threads of the region */
    Signal regions, barriers;
    Signal ended;       /* workers that have done their part of the region */
    atomic_int arrived; /* members at the barrier */
    double patience;    /* of who waits */
    atomic_bool ends;
    EadTeamLoop loops[EAD_TEAM_LOOPS];
    pthread_mutex_t opening; /* of loops */
    Worker *workers[MOST];   /* workers[0]: not used */
    int count;               /* threads that there are, the first included */
    unsigned forks;          /* when it was made: of a parent's team a child has only the memory */
};

static atomic_uint forks;
static pthread_key_t ending;
static bool has_ending;

static _Thread_local EadMember member;
static _Thread_local EadTeam *own;

EadMember *ead_member(void) {
    return &member;
}

void ead_team_barrier(EadTeam *team) {
    unsigned seen = atomic_load(&team->barriers.value);
    if (atomic_fetch_add(&team->arrived, 1) + 1 < team->size) {
        await_change(&team->barriers, seen, team->patience);
        return;
    }
    atomic_store(&team->arrived, 0);
    atomic_fetch_add(&team->barriers.value, 1);
    wake(&team->barriers);
}

EadTeamLoop *ead_team_loop(EadTeam *team, unsigned number, long begin, long end, long step) {
    EadTeamLoop *loop = &team->loops[number % EAD_TEAM_LOOPS];
    if (atomic_load_explicit(&loop->number, memory_order_acquire) == number) return loop;
    pthread_mutex_lock(&team->opening);
    if (atomic_load(&loop->number) != number) {
        while (atomic_load(&loop->inside) > 0) sched_yield(); /* in one that lies EAD_TEAM_LOOPS back */
        atomic_store(&loop->next, begin);
        atomic_store(&loop->inside, team->size);
        loop->end = end, loop->step = step;
        atomic_store_explicit(&loop->number, number, memory_order_release);
    }
    pthread_mutex_unlock(&team->opening);
    return loop;
}

static void take_part(EadTeam *team, int number) {
    EadMember before = member;
    member = (EadMember){.team = team, .size = team->size, .number = number};
    team->work(team->data);
    member = before;
}

static void *work(void *context) {
    Worker *worker = context;
    EadTeam *team = worker->team;
    for (;;) {
        worker->seen = await_change(&team->regions, worker->seen, team->patience);
        if (atomic_load(&team->ends)) return NULL;
        unsigned size = worker->seen & ((1U << SIZE_BITS) - 1);
        if ((unsigned)worker->number >= size) continue;
        take_part(team, worker->number);
        if (atomic_fetch_add(&team->ended.value, 1) + 2 == size) wake(&team->ended);
    }
}

static void end_team(void *context) {
    EadTeam *team = context;
    if (team->forks == atomic_load(&forks)) {
        atomic_store(&team->ends, true);
        atomic_fetch_add(&team->regions.value, 1U << SIZE_BITS);
        wake(&team->regions);
        for (int i = 1; i < team->count; i++) pthread_join(team->workers[i]->id, NULL);
    }
    for (int i = 1; i < team->count; i++) free(team->workers[i]);
    pthread_mutex_destroy(&team->opening);
    free(team);
}

static void count_fork(void) {
    atomic_fetch_add(&forks, 1);
}

__attribute__((constructor)) static void prepare(void) {
    has_ending = pthread_key_create(&ending, end_team) == 0;
    pthread_atfork(NULL, NULL, count_fork);
}

static EadTeam *new_team(void) {
    EadTeam *team = has_ending ? aligned_alloc(_Alignof(EadTeam), sizeof *team) : NULL;
    if (!team) return NULL;
    memset(team, 0, sizeof *team);
    pthread_mutex_init(&team->opening, NULL);
    team->count = 1;
    team->forks = atomic_load(&forks);
    if (pthread_setspecific(ending, team) == 0) return team;
    pthread_mutex_destroy(&team->opening);
    free(team);
    return NULL;
}

/* Signals are for the host's threads. */
static bool add_worker(EadTeam *team) {
    sigset_t all, before;
    pthread_attr_t attributes;
    size_t stack = ead_openmp_stack();
    Worker *worker = calloc(1, sizeof *worker);
    if (!worker) return false;
    *worker = (Worker){.team = team, .number = team->count, .seen = atomic_load(&team->regions.value)};
    bool started = pthread_attr_init(&attributes) == 0;
    if (started) {
        if (stack > 0) pthread_attr_setstacksize(&attributes, stack);
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before);
        started = pthread_create(&worker->id, &attributes, work, worker) == 0;
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        pthread_attr_destroy(&attributes);
    }
    if (started)
        team->workers[team->count++] = worker;
    else
        free(worker);
    return started;
}

/* The calling thread's, with so many threads or as many as can be had. NULL: it is alone. */
static EadTeam *gather(int size) {
    if (own && own->forks != atomic_load(&forks)) {
        pthread_setspecific(ending, NULL);
        end_team(own);
        own = NULL;
    }
    if (!own) own = new_team();
    if (!own) return NULL;
    while (own->count < size && own->count < MOST && add_worker(own)) continue;
    return own->count > 1 ? own : NULL;
}

static void run_alone(void (*region)(void *), void *data) {
    EadMember before = member;
    member = (EadMember){.size = 1};
    region(data);
    member = before;
}

void ead_team_run(void (*region)(void *), void *data, int size) {
    EadTeam *team = size > 1 ? gather(size) : NULL;
    if (!team) {
        run_alone(region, data);
        return;
    }
    size = size < team->count ? size : team->count;
    if (size != team->size) team->patience = patience_of(size);
    team->work = region, team->data = data, team->size = size;
    for (int i = 0; i < EAD_TEAM_LOOPS; i++) atomic_store(&team->loops[i].number, 0);
    atomic_store(&team->ended.value, 0);
    unsigned turn = (atomic_load(&team->regions.value) >> SIZE_BITS) + 1;
    atomic_store(&team->regions.value, turn << SIZE_BITS | (unsigned)size);
    wake(&team->regions);
    take_part(team, 0);
    for (unsigned ended = 0; ended + 1 < (unsigned)size;)
        ended = await_change(&team->ended, ended, team->patience);
}
