/* A bounded queue of requests, and the threads that answer them: decoding, waiting for a detector, writing the reply. */
#pragma once

#include "train/serve/exchange.h"

/* A request on its way. */
typedef struct EadServeJob {
    EadServeRequest request;
    EadServeReply reply;
    void (*answered)(struct EadServeJob *job); /* called once, in any thread */
    /* Whether nobody waits for the answer any more; in any thread; NULL: that is not known. */
    bool (*is_gone)(const struct EadServeJob *job);
    void *context;            /* of whoever made it */
    struct EadServeJob *next; /* the queue's */
} EadServeJob;

typedef struct EadJobQueue EadJobQueue;

/* Starts `workers` threads that call answer(context, job) and then job->answered(job), for jobs of which at most `most` wait.
 * Errors: EAD_NO_MEMORY. */
EadStatus ead_job_queue_new(int workers, int most, void (*answer)(void *context, EadServeJob *job),
                            void *context, EadJobQueue **out);

/* Adds a job; false where as many as may wait do, or the queue is closed. */
bool ead_job_queue_add(EadJobQueue *queue, EadServeJob *job);

/* How many wait. */
int ead_job_queue_length(EadJobQueue *queue);

/* Takes no more; what waits is refused: `refuse` makes its reply. Returns when the last job is answered. */
void ead_job_queue_close(EadJobQueue *queue, void (*refuse)(void *context, EadServeJob *job));

/* For one that is closed; harmless on NULL. */
void ead_job_queue_free(EadJobQueue *queue);
