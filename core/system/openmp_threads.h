/* How many threads OpenMP may have. Its library ends the process where it cannot start one, and waits for
 * ever in a child of fork(), where threads that it knows of stayed with the parent; so both are found out
 * before. */
#pragma once

#include <stddef.h>

/* Bytes of stack that OpenMP gives a thread by its environment; 0: what the system gives. */
size_t ead_openmp_stack(void);

/* Where the address space of the process is limited (ulimit -v), lets threads share the memory that they allocate from, and
 * have small stacks: else each takes 72 MB of it, so that a larger limit, which lets more threads be started, would leave
 * less. For a program, before its threads: a library leaves the process as it is. */
void ead_threads_save_space(void);

/* Threads for parallel regions of the calling thread from here on: what OpenMP would take (its settings,
 * omp_set_ num_threads()), or fewer where the system lets no more be started; 1 in a child of a process that
 * had several threads when it called fork(). Costs something only when the number grows: then that many
 * threads are started for a moment. */
int ead_openmp_threads(void);
