/* What the files of core/team/ share. */
#pragma once

#include "core/team/team.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

/* A dynamic loop, whose parts threads take. */
typedef struct EadTeamLoop {
    atomic_uint number; /* which of the region, from 1 on */
    atomic_int inside;  /* members that have not left it */
    atomic_long next;
    long end, step;
} EadTeamLoop;

/* Loops that a member may be ahead of another. */
enum { EAD_TEAM_LOOPS = 4 };

typedef struct EadTeam EadTeam;

/* What a thread is in the region that it works on. Outside of any: zeroed. */
typedef struct EadMember {
    EadTeam *team; /* NULL: it is alone in it */
    int size, number;
    unsigned loops; /* that it has met */
    EadTeamLoop *loop;
    bool given; /* the region begins with a loop, of which no part has been asked for yet */
    long given_begin, given_end, given_step;
    struct EadSimulation *simulation; /* NULL: it is none */
} EadMember;

EadMember *ead_member(void);

/* Does a region with as many threads as can be had, at most `size`, of which the calling one is number 0. */
void ead_team_run(void (*work)(void *), void *data, int size);

/* Waits for all members. */
void ead_team_barrier(EadTeam *team);

/* The loop that a member comes to: opened by the first. */
EadTeamLoop *ead_team_loop(EadTeam *team, unsigned number, long begin, long end, long step);

/* core/team/team_simulated.c: the same where the calling thread simulates a team, which it does if that is not NULL. */
struct EadSimulation *ead_simulation(void);
int ead_simulated_members(const struct EadSimulation *simulation);
void ead_simulate_region(struct EadSimulation *simulation, void (*work)(void *), void *data, int size);
void ead_simulate_barrier(struct EadSimulation *simulation);
bool ead_simulate_loop(struct EadSimulation *simulation, long begin, long end, long step, long *from,
                       long *to);
bool ead_simulate_next(struct EadSimulation *simulation, long *from, long *to);
