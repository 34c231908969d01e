/* What is served, whatever carries the requests: who may ask, where a request goes, and what it is answered. */
#pragma once

#include "data/codec/codec.h"
#include "train/serve/job_queue.h"
#include "train/serve/served_model.h"

#include <stdatomic.h>

typedef struct EadServer {
    EadModelRegistry *models; /* borrowed */
    EadImageRules rules;
    EadJobQueue *queue;
    char *token; /* NULL: everyone may ask */
    bool
        loopback_host; /* only requests to this machine's own name (Host) are answered: a web page elsewhere cannot ask */
    atomic_bool draining;
} EadServer;

/* Where requests go. */
typedef enum EadServeRoute {
    EAD_ROUTE_NONE,
    EAD_ROUTE_SERVER,
    EAD_ROUTE_LIVE,
    EAD_ROUTE_READY,
    EAD_ROUTE_MODEL,
    EAD_ROUTE_MODEL_READY,
    EAD_ROUTE_INFER,
    EAD_ROUTE_PREDICT
} EadServeRoute;

enum { EAD_SERVE_NAME = 128 };

/* The route of a path, and the name of the model in it ("" for none). A path that leads nowhere is EAD_ROUTE_NONE. */
EadServeRoute ead_serve_route(const char *path, char model[EAD_SERVE_NAME]);

/* Starts the workers of a server whose other members are set. Errors: EAD_NO_MEMORY. */
EadStatus ead_server_start(EadServer *server, int workers, int queue);

/* Whether a request may be answered at all, by its headers: else the reply says why not. */
bool ead_server_admit(const EadServer *server, const EadServeRequest *request, EadServeReply *reply);

/* Answers a request that was admitted, here and now. */
void ead_server_answer(EadServer *server, const EadServeRequest *request, EadServeReply *reply);

/* Answers a job: at once, or where images have to be scored by a worker; refuses it where too many wait. */
void ead_server_submit(EadServer *server, EadServeJob *job);

/* Answers what is being worked on, refuses what waits, and ends the workers; frees what ead_server_start() made. Harmless without it. */
void ead_server_end(EadServer *server);
