/* What is served, whatever carries the requests: who may ask, and what is answered. */
#pragma once

#include "data/codec/codec.h"
#include "train/page/live_page.h"
#include "train/serve/job_queue.h"
#include "train/serve/routes.h"
#include "train/serve/serve_metrics.h"
#include "train/serve/served_model.h"

#include <stdatomic.h>

typedef struct EadServer {
    EadModelRegistry *models; /* borrowed */
    EadImageRules rules;
    EadServeGuard guard;
    EadLivePage *page; /* borrowed; NULL: there is none */
    bool only_looks; /* answers health, metrics and the page alone: requests have nothing scored or opened */
    atomic_bool draining,
        hindered;       /* is being stopped; cannot go on for now: it is not ready in either case */
    EadJobQueue *queue; /* these by ead_server_start() */
    EadServeMetrics *metrics;
} EadServer;

/* Starts the workers of a server whose other members are set; its models stay those. Errors: EAD_NO_MEMORY. */
EadStatus ead_server_start(EadServer *server, int workers, int queue);

/* Answers a request that was admitted, here and now. */
void ead_server_answer(EadServer *server, const EadServeRequest *request, EadServeReply *reply);

/* Answers a job: at once, or where images have to be scored by a worker; refuses it where too many wait. */
void ead_server_submit(EadServer *server, EadServeJob *job);

/* Counts a reply that goes out, whoever made it. */
void ead_server_count(EadServer *server, const EadServeRequest *request, const EadServeReply *reply);

/* Answers what is being worked on, refuses what waits and what comes, and ends the workers. Harmless on one that was not started, and twice. */
void ead_server_end(EadServer *server);

/* Frees what ead_server_start() made; harmless without it. */
void ead_server_free(EadServer *server);
