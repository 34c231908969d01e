/* Members are contexts of one thread. Each works until it comes to a barrier; then the next one does. Of a dynamic loop the
 * first that comes takes all parts: who would have taken which is for the schedule to find out. Times are of the processor:
 * nobody is waited for here, and other work on the machine does not count. */
#include "core/team/team_parts.h"

#include "core/base/memory.h"
#include "core/system/clock.h"

#include <stdlib.h>
#include <ucontext.h>

enum { STACK = 1 << 19 };

typedef struct Player {
    ucontext_t context;
    void *stack;
    EadMember member;
    double seconds; /* on its own since the last barrier */
    bool done;
} Player;

struct EadSimulation {
    EadTeamRecord *record;
    EadStatus status; /* the first failure */
    int members;      /* of a usual team */
    int count;        /* players */
    Player *players;
    ucontext_t director;
    Player *now;   /* who plays */
    double since;  /* when its present part began */
    unsigned loop; /* the last one that somebody has taken */
    long next, end, step;
    double *blocks; /* of this section */
    int block_count, block_capacity;
    void (*work)(void *);
    void *data;
};

static _Thread_local struct EadSimulation *simulation;

struct EadSimulation *ead_simulation(void) {
    return simulation;
}

int ead_simulated_members(const struct EadSimulation *s) {
    return s->members;
}

/* Seconds since the last call. */
static double lap(struct EadSimulation *s) {
    double now = ead_clock_thread_seconds(), seconds = now - s->since;
    s->since = now;
    return seconds;
}

static void keep(struct EadSimulation *s, double seconds) {
    EadTeamRecord *r = s->record;
    if (s->status == EAD_OK)
        s->status = ead_grow(&r->seconds, &r->capacity, r->count, sizeof *r->seconds, "a recorded team");
    if (s->status == EAD_OK) r->seconds[r->count++] = seconds;
}

/* ---- what a member meets ---- */

static void leave_stage(struct EadSimulation *s) {
    s->now->seconds += lap(s);
    swapcontext(&s->now->context, &s->director);
}

void ead_simulate_barrier(struct EadSimulation *s) {
    leave_stage(s);
}

static bool hand_out(struct EadSimulation *s, long *from, long *to) {
    *from = s->next;
    *to = s->end - s->next < s->step ? s->end : s->next + s->step;
    s->next = *to;
    s->since = ead_clock_thread_seconds();
    return *from < s->end;
}

bool ead_simulate_loop(struct EadSimulation *s, long begin, long end, long step, long *from, long *to) {
    s->now->seconds += lap(s);
    if (++ead_member()->loops <= s->loop) return false;
    s->loop = ead_member()->loops;
    s->next = begin, s->end = end, s->step = step;
    return hand_out(s, from, to);
}

bool ead_simulate_next(struct EadSimulation *s, long *from, long *to) {
    double seconds = lap(s);
    if (s->status == EAD_OK)
        s->status =
            ead_grow(&s->blocks, &s->block_capacity, s->block_count, sizeof *s->blocks, "a recorded team");
    if (s->status == EAD_OK) s->blocks[s->block_count++] = seconds;
    return hand_out(s, from, to);
}

/* ---- the director ---- */

static void play(void) {
    struct EadSimulation *s = simulation;
    s->work(s->data);
    s->now->done = true;
    s->now->seconds += lap(s);
} /* to uc_link */

static void begin_player(struct EadSimulation *s, int number, int size) {
    Player *player = &s->players[number];
    player->done = false;
    player->member = (EadMember){.size = size, .number = number, .simulation = s};
    getcontext(&player->context);
    player->context.uc_stack.ss_sp = player->stack;
    player->context.uc_stack.ss_size = STACK;
    player->context.uc_link = &s->director;
    makecontext(&player->context, play, 0);
}

static void let_play(struct EadSimulation *s, Player *player) {
    EadMember before = *ead_member();
    *ead_member() = player->member;
    s->now = player;
    player->seconds = 0;
    s->since = ead_clock_thread_seconds();
    swapcontext(&s->director, &player->context);
    player->member = *ead_member();
    *ead_member() = before;
}

static void keep_section(struct EadSimulation *s, int size) {
    EadTeamRecord *r = s->record;
    EadTeamSection section = {r->count, size, s->block_count};
    for (int i = 0; i < size; i++) keep(s, s->players[i].seconds);
    for (int i = 0; i < s->block_count; i++) keep(s, s->blocks[i]);
    if (s->status == EAD_OK)
        s->status = ead_grow(&r->sections, &r->section_capacity, r->section_count, sizeof *r->sections,
                             "a recorded team");
    if (s->status == EAD_OK) r->sections[r->section_count++] = section;
    s->block_count = 0;
}

void ead_simulate_region(struct EadSimulation *s, void (*work)(void *), void *data, int size) {
    double begun = ead_clock_thread_seconds();
    size = size < s->count ? size : s->count;
    s->work = work, s->data = data, s->loop = 0;
    for (int i = 0; i < size; i++) begin_player(s, i, size);
    for (int left = size; left > 0;) {
        for (int i = 0; i < size; i++) {
            s->players[i].seconds = 0;
            if (s->players[i].done) continue;
            let_play(s, &s->players[i]);
            left -= s->players[i].done;
        }
        keep_section(s, size);
    }
    s->record->inside += ead_clock_thread_seconds() - begun;
}

/* ---- its beginning and end ---- */

static void free_simulation(struct EadSimulation *s) {
    for (int i = 0; s->players && i < s->count; i++) free(s->players[i].stack);
    free(s->players);
    free(s->blocks);
    free(s);
}

EadStatus ead_team_simulate(int members, EadTeamRecord *record) {
    struct EadSimulation *s = ead_new(1, sizeof *s, "a simulated team");
    if (!s) return EAD_NO_MEMORY;
    s->record = record, s->members = s->count = members;
    s->players = ead_new(members, sizeof *s->players, "a simulated team");
    for (int i = 0; s->players && i < members && s->status == EAD_OK; i++)
        if (!(s->players[i].stack = ead_new(STACK, 1, "a simulated team"))) s->status = EAD_NO_MEMORY;
    if (!s->players || s->status != EAD_OK) {
        free_simulation(s);
        return EAD_NO_MEMORY;
    }
    simulation = s;
    return EAD_OK;
}

EadStatus ead_team_simulate_end(void) {
    EadStatus status = simulation->status;
    free_simulation(simulation);
    simulation = NULL;
    return status;
}
