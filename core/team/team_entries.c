/* What GCC makes of OpenMP's constructs, and OpenMP's own functions, by the names that libgomp gives them. */
#define _GNU_SOURCE /* sched_getaffinity, RTLD_DEFAULT */
#include "core/team/team_parts.h"

#include <dlfcn.h>
#include <omp.h>
#include <sched.h>
#include <stdlib.h>

/* ---- how many threads ---- */

static _Thread_local int wanted; /* 0: not set */

/* What the host's OpenMP says, where the host has one. */
static int ask_host(const char *function, int without) {
    int (*ask)(void) = 0;
    *(void **)&ask = dlsym(RTLD_DEFAULT, function);
    return ask ? ask() : without;
}

int omp_get_num_procs(void) {
    cpu_set_t allowed;
    int count = sched_getaffinity(0, sizeof allowed, &allowed) == 0 ? CPU_COUNT(&allowed) : 0;
    return count > 0 ? count : 1;
}

static int usual_threads(void) {
    const char *text = getenv("OMP_NUM_THREADS");
    int number = text ? atoi(text) : 0;
    return number > 0 ? number : omp_get_num_procs();
}

int omp_get_max_threads(void) {
    if (ead_simulation()) return ead_simulated_members(ead_simulation());
    return wanted > 0 ? wanted : ask_host("omp_get_max_threads", usual_threads());
}

/* As many as the host's: it goes on being asked, as it may change its mind. */
void omp_set_num_threads(int count) {
    wanted = count == ask_host("omp_get_max_threads", 0) ? 0 : count > 0 ? count : 1;
}

int omp_get_num_threads(void) {
    return ead_member()->size > 0 ? ead_member()->size : 1;
}

int omp_get_thread_num(void) {
    return ead_member()->number;
}

int omp_get_active_level(void) {
    return (ead_member()->size > 1) + ask_host("omp_get_active_level", 0);
}

int omp_get_max_active_levels(void) {
    return ask_host("omp_get_max_active_levels", 1);
}

/* ---- regions, loops, barriers ---- */

void GOMP_parallel(void (*work)(void *), void *data, unsigned threads, unsigned flags);
void GOMP_barrier(void);
bool GOMP_loop_nonmonotonic_dynamic_start(long begin, long end, long step, long part, long *from, long *to);
bool GOMP_loop_nonmonotonic_dynamic_next(long *from, long *to);
void GOMP_parallel_loop_nonmonotonic_dynamic(void (*work)(void *), void *data, unsigned threads, long begin,
                                             long end, long step, long part, unsigned flags);
void GOMP_loop_end(void);
void GOMP_loop_end_nowait(void);
void GOMP_atomic_start(void);
void GOMP_atomic_end(void);

void GOMP_parallel(void (*work)(void *), void *data, unsigned threads, unsigned flags) {
    bool nested = ead_member()->size > 0;
    int size = nested ? 1 : threads ? (int)threads : omp_get_max_threads();
    (void)flags;
    if (!nested && ead_simulation())
        ead_simulate_region(ead_simulation(), work, data, size);
    else
        ead_team_run(work, data, size);
}

/* A loop that the region begins with, whose bounds are known before. */
typedef struct LoopRegion {
    void (*work)(void *);
    void *data;
    long begin, end, step;
} LoopRegion;

static void open_loop(void *context) {
    const LoopRegion *region = context;
    EadMember *member = ead_member();
    member->given = true, member->given_begin = region->begin, member->given_end = region->end;
    member->given_step = region->step;
    region->work(region->data);
}

void GOMP_parallel_loop_nonmonotonic_dynamic(void (*work)(void *), void *data, unsigned threads, long begin,
                                             long end, long step, long part, unsigned flags) {
    LoopRegion region = {work, data, begin, end, step * part};
    GOMP_parallel(open_loop, &region, threads, flags);
}

void GOMP_barrier(void) {
    EadMember *member = ead_member();
    if (member->simulation)
        ead_simulate_barrier(member->simulation);
    else if (member->team)
        ead_team_barrier(member->team);
}

static bool take(EadTeamLoop *loop, long *from, long *to) {
    *from = atomic_fetch_add(&loop->next, loop->step);
    *to = *from < loop->end - loop->step ? *from + loop->step : loop->end;
    return *from < loop->end;
}

/* Loops of the sources count upwards; step: of a part. */
static bool begin_loop(EadMember *member, long begin, long end, long step, long *from, long *to) {
    if (member->simulation) return ead_simulate_loop(member->simulation, begin, end, step, from, to);
    *from = begin, *to = end;
    if (!member->team) return begin < end; /* alone: all of it at once */
    member->loop = ead_team_loop(member->team, ++member->loops, begin, end, step);
    return take(member->loop, from, to);
}

bool GOMP_loop_nonmonotonic_dynamic_start(long begin, long end, long step, long part, long *from, long *to) {
    return begin_loop(ead_member(), begin, end, step * part, from, to);
}

bool GOMP_loop_nonmonotonic_dynamic_next(long *from, long *to) {
    EadMember *member = ead_member();
    if (member->given) {
        member->given = false;
        return begin_loop(member, member->given_begin, member->given_end, member->given_step, from, to);
    }
    if (member->simulation) return ead_simulate_next(member->simulation, from, to);
    return member->team && take(member->loop, from, to);
}

void GOMP_loop_end_nowait(void) {
    EadMember *member = ead_member();
    if (member->team) atomic_fetch_sub(&member->loop->inside, 1);
}

void GOMP_loop_end(void) {
    GOMP_loop_end_nowait();
    GOMP_barrier();
}

/* ---- sums of several variables ---- */

static pthread_mutex_t sums = PTHREAD_MUTEX_INITIALIZER;

void GOMP_atomic_start(void) {
    pthread_mutex_lock(&sums);
}

void GOMP_atomic_end(void) {
    pthread_mutex_unlock(&sums);
}
