/* How many threads OpenMP may have. Its library ends the process where it cannot start one, and waits for
 * ever in a child of fork(), where threads that it knows of stayed with the parent; so both are found out
 * before. */
#pragma once

/* Threads for parallel regions of the calling thread from here on: what OpenMP would take (its settings,
 * omp_set_ num_threads()), or fewer where the system lets no more be started; 1 in a child of a process that
 * had several threads when it called fork(). Costs something only when the number grows: then that many
 * threads are started for a moment. */
int ead_openmp_threads(void);
