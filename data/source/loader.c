/* The ring. Worker threads take steps in order, wait until the step's slot is free, and fill it without
 * holding the mutex. */
#include "data/source/loader.h"

#include "core/base/memory.h"
#include "core/system/worker_threads.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { ALIGNMENT = 64 };

struct EadLoader {
    EadLoaderSpec spec;
    size_t stride;  /* slot_bytes rounded up to the alignment */
    uint8_t *slots; /* [spec.slots][stride] */
    EadWorkers workers;
    pthread_mutex_t mutex;   /* guards all below */
    pthread_cond_t filled;   /* the consumer waits */
    pthread_cond_t released; /* the workers wait */
    uint64_t taken;          /* steps given to workers, counted from 0 = first_step */
    uint64_t position;       /* the step the consumer is at */
    bool *ready;             /* [spec.slots]: filled and not yet released */
    bool stop;
    uint64_t failed; /* the lowest step that failed, UINT64_MAX if none */
    EadFailure failure;
};

/* Which slot a step goes to, and its bytes. */
static uint64_t slot_of(const EadLoader *loader, uint64_t step) {
    return step % (uint64_t)loader->spec.slots;
}

static uint8_t *slot_bytes(const EadLoader *loader, uint64_t step) {
    return loader->slots + (size_t)slot_of(loader, step) * loader->stride;
}

/* Messages are the thread's, and steps before a failed one are still delivered. */
static void *work(void *context) {
    EadLoader *loader = context;
    const EadLoaderSpec *spec = &loader->spec;
    pthread_mutex_lock(&loader->mutex);
    for (;;) {
        while (!loader->stop && loader->taken >= loader->position + (uint64_t)spec->slots)
            pthread_cond_wait(&loader->released, &loader->mutex);
        if (loader->stop || loader->failed != UINT64_MAX) break;
        uint64_t step = loader->taken++;
        pthread_mutex_unlock(&loader->mutex);
        EadStatus status = spec->fill(spec->context, spec->first_step + step, slot_bytes(loader, step));
        pthread_mutex_lock(&loader->mutex);
        if (status == EAD_OK)
            loader->ready[slot_of(loader, step)] = true;
        else if (step < loader->failed) {
            loader->failed = step;
            ead_failure_keep(&loader->failure, status);
        }
        pthread_cond_signal(&loader->filled);
    }
    pthread_mutex_unlock(&loader->mutex);
    return NULL;
}

EadStatus ead_loader_open(const EadLoaderSpec *spec, EadLoader **out) {
    *out = NULL;
    if (spec->slots < 1 || spec->slot_bytes < 1)
        return ead_fail(EAD_BAD_ARGUMENT, "a loader of %d slots of %zu bytes; at least 1 of 1 is needed",
                        spec->slots, spec->slot_bytes);
    EadLoader *loader = ead_new(1, sizeof *loader, "a loader");
    if (!loader) return EAD_NO_MEMORY;
    *loader = (EadLoader){.spec = *spec,
                          .stride = (spec->slot_bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT,
                          .ready = ead_new(spec->slots, sizeof *loader->ready, "a loader"),
                          .failed = UINT64_MAX,
                          .mutex = PTHREAD_MUTEX_INITIALIZER,
                          .filled = PTHREAD_COND_INITIALIZER,
                          .released = PTHREAD_COND_INITIALIZER};
    void *slots = NULL;
    bool fits = loader->stride >= spec->slot_bytes && loader->stride <= SIZE_MAX / (size_t)spec->slots;
    EadStatus status = EAD_OK;
    if (!loader->ready || !fits || posix_memalign(&slots, ALIGNMENT, (size_t)spec->slots * loader->stride))
        status = ead_fail(EAD_NO_MEMORY, "no memory for a loader of %d slots of %zu bytes", spec->slots,
                          spec->slot_bytes);
    else
        loader->slots = slots;
    if (status == EAD_OK) status = ead_workers_start(&loader->workers, spec->threads, work, loader);
    *out = status == EAD_OK ? loader : NULL;
    if (status != EAD_OK) ead_loader_close(loader);
    return status;
}

EadStatus ead_loader_next(EadLoader *loader, const uint8_t **slot) {
    pthread_mutex_lock(&loader->mutex);
    uint64_t step = loader->position;
    while (!loader->ready[slot_of(loader, step)] && loader->failed > step)
        pthread_cond_wait(&loader->filled, &loader->mutex);
    bool ready = loader->ready[slot_of(loader, step)];
    pthread_mutex_unlock(&loader->mutex);
    *slot = ready ? slot_bytes(loader, step) : NULL;
    /* the failure changes no more: only a lower step could replace them, and those are all done */
    return ready ? EAD_OK : ead_failure_tell(&loader->failure);
}

void ead_loader_release(EadLoader *loader) {
    pthread_mutex_lock(&loader->mutex);
    bool *ready = &loader->ready[slot_of(loader, loader->position)];
    if (*ready) {
        *ready = false;
        loader->position++;
        pthread_cond_signal(&loader->released);
    }
    pthread_mutex_unlock(&loader->mutex);
}

void ead_loader_close(EadLoader *loader) {
    if (!loader) return;
    pthread_mutex_lock(&loader->mutex);
    loader->stop = true;
    pthread_cond_broadcast(&loader->released);
    pthread_mutex_unlock(&loader->mutex);
    ead_workers_join(&loader->workers);
    pthread_cond_destroy(&loader->released);
    pthread_cond_destroy(&loader->filled);
    pthread_mutex_destroy(&loader->mutex);
    free(loader->slots);
    free(loader->ready);
    free(loader);
}
