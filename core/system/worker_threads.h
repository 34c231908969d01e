/* A handful of threads doing the same work, with signals left to the main thread so that Ctrl-C reaches the
 * handler where the training loop looks for it. */
#pragma once

#include "core/base/status.h"

#include <pthread.h>

typedef struct EadWorkers {
    pthread_t *ids; /* [count] */
    int count;      /* threads that run; may be fewer than asked for where the system grants no more */
} EadWorkers;

/* How many threads `count` means: 0 or less is one a processor that this process
 * may use (ead_machine_cpus()); 256 are the most. */
int ead_workers_count(int count);

/* Starts `count` threads (see above) that each call work(context).
 * Errors: EAD_NO_MEMORY if not even one could be started. */
EadStatus ead_workers_start(EadWorkers *workers, int count, void *(*work)(void *), void *context);

/* Waits until every thread has returned from work() and frees the struct; harmless on a zeroed one. */
void ead_workers_join(EadWorkers *workers);
