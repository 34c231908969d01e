/* Two locks: of taking, which may wait for input, and of the turn to deliver. */
#include "core/system/ordered_work.h"

#include "core/base/memory.h"
#include "core/system/worker_threads.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef struct Queue {
    const EadOrderedWork *work;
    pthread_mutex_t taking; /* guards the next two */
    uint64_t taken;
    EadFailure take;
    pthread_mutex_t delivering; /* guards all below */
    pthread_cond_t delivered;
    uint64_t turn; /* of the piece that is delivered next */
    bool ended;    /* nothing more is to be taken */
    EadFailure deliver;
} Queue;

static bool has_ended(Queue *queue, bool end) {
    pthread_mutex_lock(&queue->delivering);
    bool ended = queue->ended;
    queue->ended = ended || end;
    pthread_mutex_unlock(&queue->delivering);
    return ended || end;
}

/* False: there are no more. */
static bool take(Queue *queue, void *piece, uint64_t *number) {
    bool found = true;
    pthread_mutex_lock(&queue->taking);
    bool ended = has_ended(queue, false);
    EadStatus status = ended ? EAD_OK : queue->work->take(queue->work->context, piece, &found);
    if (status != EAD_OK) ead_failure_keep(&queue->take, status);
    if (!ended) ended = has_ended(queue, status != EAD_OK || !found);
    *number = queue->taken;
    queue->taken += !ended;
    pthread_mutex_unlock(&queue->taking);
    return !ended;
}

static void deliver(Queue *queue, void *piece, uint64_t number, EadStatus status) {
    pthread_mutex_lock(&queue->delivering);
    while (queue->turn != number) pthread_cond_wait(&queue->delivered, &queue->delivering);
    if (queue->deliver.status == EAD_OK) status = queue->work->deliver(queue->work->context, piece, status);
    if (queue->deliver.status == EAD_OK && status != EAD_OK) {
        ead_failure_keep(&queue->deliver, status);
        queue->ended = true;
    }
    queue->turn++;
    pthread_cond_broadcast(&queue->delivered);
    pthread_mutex_unlock(&queue->delivering);
}

static void *run(void *context) {
    Queue *queue = context;
    const EadOrderedWork *work = queue->work;
    void *piece = ead_new(1, work->piece_bytes, "a piece of work");
    uint64_t number;
    if (!piece) {
        pthread_mutex_lock(&queue->taking);
        ead_failure_keep(&queue->take, EAD_NO_MEMORY);
        (void)has_ended(queue, true);
        pthread_mutex_unlock(&queue->taking);
        return NULL;
    }
    for (;;) {
        memset(piece, 0, work->piece_bytes);
        bool there = take(queue, piece, &number);
        if (there) deliver(queue, piece, number, work->work(work->context, piece));
        if (work->release) work->release(piece);
        if (!there) break;
    }
    free(piece);
    return NULL;
}

EadStatus ead_work_in_order(const EadOrderedWork *work, int threads) {
    Queue queue = {.work = work,
                   .taking = PTHREAD_MUTEX_INITIALIZER,
                   .delivering = PTHREAD_MUTEX_INITIALIZER,
                   .delivered = PTHREAD_COND_INITIALIZER};
    EadWorkers workers = {0};
    EadStatus status = threads > 1 ? ead_workers_start(&workers, threads, run, &queue) : EAD_OK;
    if (threads <= 1) run(&queue);
    ead_workers_join(&workers);
    pthread_cond_destroy(&queue.delivered);
    pthread_mutex_destroy(&queue.delivering);
    pthread_mutex_destroy(&queue.taking);
    if (status != EAD_OK) return status;
    return ead_failure_tell(queue.deliver.status != EAD_OK ? &queue.deliver : &queue.take);
}
