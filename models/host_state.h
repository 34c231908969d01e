/* The manners of the public calls: what a host program keeps while a detector works in its thread. */
#pragma once

#include <fenv.h>
#include <locale.h>
#include <stdbool.h>

/* Its locale, how it computes, and the number of its threads. */
typedef struct EadHostState {
    locale_t locale;
    fenv_t numbers;
    int threads;
} EadHostState;

/* How many threads a detector works with. */
typedef struct EadThreadCount {
    int count;
    bool exact; /* so many, however many the host has; else at most so many */
} EadThreadCount;

/* Every public call that works begins with it. Numbers are read and written as in C, whatever the host's decimal
 * point; they are rounded to the nearest, and none of them raises a signal, whatever the host chose; and OpenMP has
 * that many threads (count 0: as many as it has), and no more than it can have. */
EadHostState ead_host_enter(EadThreadCount threads);

/* And ends with it. */
void ead_host_leave(EadHostState host);
