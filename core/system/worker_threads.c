/* Starting and joining threads. */
#include "core/system/worker_threads.h"

#include "core/system/machine.h"

#include <signal.h>
#include <stdlib.h>

enum { MAX_THREADS = 256 };

int ead_workers_count(int count) {
    if (count <= 0) count = ead_machine_cpus();
    return count > MAX_THREADS ? MAX_THREADS : count;
}

EadStatus ead_workers_start(EadWorkers *workers, int count, void *(*work)(void *), void *context) {
    sigset_t all, before;
    count = ead_workers_count(count);
    *workers = (EadWorkers){.ids = malloc((size_t)count * sizeof(pthread_t))};
    if (!workers->ids) return ead_fail(EAD_NO_MEMORY, "no memory for %d threads", count);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* inherited by the new threads */
    while (workers->count < count && pthread_create(&workers->ids[workers->count], NULL, work, context) == 0)
        workers->count++;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (workers->count > 0) return EAD_OK;
    ead_workers_join(workers);
    return ead_fail(EAD_NO_MEMORY, "the system cannot start another thread");
}

void ead_workers_join(EadWorkers *workers) {
    for (int i = 0; i < workers->count; i++) pthread_join(workers->ids[i], NULL);
    free(workers->ids);
    *workers = (EadWorkers){0};
}
