/* All that is wrong with one thing, such as a config, so that it is told at once and not one a run. */
#pragma once

#include "core/base/string_list.h"

#include <stdio.h>

/* An empty one is zeroed. */
typedef struct EadProblems {
    EadStringList lines; /* in the order in which they were found */
    EadStatus status;    /* of the first; EAD_OK: there is none; EAD_NO_MEMORY goes before all others */
    int no_memory;       /* how many lines there were with the first of it */
} EadProblems;

/* Keeps the thread's present message, that of a failure with `status`, once; EAD_OK is none. */
void ead_problems_add(EadProblems *problems, EadStatus status);

/* Adds those of another list. */
void ead_problems_add_all(EadProblems *problems, const EadProblems *others);

/* EAD_OK if there is none behind the first `known` ones, else fails with the next. */
EadStatus ead_problems_since(const EadProblems *problems, int known);

/* How a message ends that only counts what was told before it. */
#define EAD_NOTHING_STARTED "nothing was started"

/* EAD_OK if there is none. One: fails with it. Several: writes them to the stream, a line each, the first 20,
 * and fails with their number. */
EadStatus ead_problems_tell(const EadProblems *problems, FILE *stream);

/* Frees everything and leaves an empty one. */
void ead_problems_free(EadProblems *problems);
