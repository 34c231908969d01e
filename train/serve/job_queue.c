/* A list, a mutex and some threads. */
#include "train/serve/job_queue.h"

#include "core/base/memory.h"
#include "core/system/worker_threads.h"

#include <stdlib.h>

struct EadJobQueue {
    void (*answer)(void *context, EadServeJob *job);
    void *context;
    EadServeJob *first, *last;
    int length, most;
    bool closed;
    pthread_mutex_t mutex;
    pthread_cond_t wanted;
    EadWorkers workers;
};

/* Under the mutex; NULL: there is none. */
static EadServeJob *take(EadJobQueue *queue) {
    EadServeJob *job = queue->first;
    if (!job) return NULL;
    queue->first = job->next;
    if (!queue->first) queue->last = NULL;
    queue->length--;
    job->next = NULL;
    return job;
}

static void *work(void *context) {
    EadJobQueue *queue = context;
    pthread_mutex_lock(&queue->mutex);
    while (!queue->closed) {
        EadServeJob *job = take(queue);
        if (!job) {
            pthread_cond_wait(&queue->wanted, &queue->mutex);
            continue;
        }
        pthread_mutex_unlock(&queue->mutex);
        queue->answer(queue->context, job);
        job->answered(job);
        pthread_mutex_lock(&queue->mutex);
    }
    pthread_mutex_unlock(&queue->mutex);
    return NULL;
}

EadStatus ead_job_queue_new(int workers, int most, void (*answer)(void *context, EadServeJob *job),
                            void *context, EadJobQueue **out) {
    *out = NULL;
    EadJobQueue *queue = ead_new(1, sizeof *queue, "a queue of requests");
    if (!queue) return EAD_NO_MEMORY;
    *queue = (EadJobQueue){.answer = answer,
                           .context = context,
                           .most = most,
                           .mutex = PTHREAD_MUTEX_INITIALIZER,
                           .wanted = PTHREAD_COND_INITIALIZER};
    EadStatus status = ead_workers_start(&queue->workers, workers, work, queue);
    if (status == EAD_OK)
        *out = queue;
    else
        ead_job_queue_free(queue);
    return status;
}

bool ead_job_queue_add(EadJobQueue *queue, EadServeJob *job) {
    pthread_mutex_lock(&queue->mutex);
    bool room = !queue->closed && queue->length < queue->most;
    if (room) {
        if (queue->last)
            queue->last->next = job;
        else
            queue->first = job;
        queue->last = job;
        queue->length++;
        pthread_cond_signal(&queue->wanted);
    }
    pthread_mutex_unlock(&queue->mutex);
    return room;
}

int ead_job_queue_length(EadJobQueue *queue) {
    pthread_mutex_lock(&queue->mutex);
    int length = queue->length;
    pthread_mutex_unlock(&queue->mutex);
    return length;
}

void ead_job_queue_close(EadJobQueue *queue, void (*refuse)(void *context, EadServeJob *job)) {
    EadServeJob *job;
    pthread_mutex_lock(&queue->mutex);
    queue->closed = true;
    pthread_cond_broadcast(&queue->wanted);
    while ((job = take(queue)) != NULL) {
        refuse(queue->context, job);
        job->answered(job);
    }
    pthread_mutex_unlock(&queue->mutex);
    ead_workers_join(&queue->workers);
}

void ead_job_queue_free(EadJobQueue *queue) {
    if (!queue) return;
    pthread_cond_destroy(&queue->wanted);
    pthread_mutex_destroy(&queue->mutex);
    free(queue);
}
