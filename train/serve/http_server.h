/* HTTP for a server: connections, bodies and their limits. By libmicrohttpd where the build has it (serve.mk). */
#pragma once

#include "train/serve/server.h"

typedef struct EadHttpOptions {
    int socket;              /* that listens; the HTTP server closes it */
    size_t most_body;        /* bytes of a request */
    const char *body_option; /* that sets them, for messages; NULL: none does */
    int most_connections;    /* at once */
    int most_of_address; /* of these from one address, which then keeps nobody else out; not of Unix sockets */
    const char *certificate, *key; /* PEM, borrowed while it runs; NULL: without TLS */
    const char *authority;         /* PEM of the issuers whose clients alone may ask; NULL: all may */
    double timeout;                /* seconds from a request's first byte to its answer's beginning */
    double
        idle; /* seconds that a connection may say nothing, and that a header or body may take to come in */
} EadHttpOptions;

typedef struct EadHttpServer EadHttpServer;

/* Whether this build can serve, and with a certificate, its key and the authority of clients (PEM; NULL: without TLS, or it).
 * Errors: EAD_UNSUPPORTED; EAD_BAD_FILE where they do not fit together. */
EadStatus ead_http_check(const char *certificate, const char *key, const char *authority);

/* Answers requests in threads of its own from now on. server must outlive it. Errors: those of
 * ead_http_check(); EAD_IO, EAD_NO_MEMORY; the socket is closed then. */
EadStatus ead_http_start(EadServer *server, const EadHttpOptions *options, EadHttpServer **out);

/* Takes no more connections; what is under way goes on. */
void ead_http_quiesce(EadHttpServer *http);

/* Requests of which the answer has not gone out in whole. */
int ead_http_requests(EadHttpServer *http);

/* Ends all connections and threads, once no job is with the server any more (ead_server_end()); harmless on NULL. */
void ead_http_stop(EadHttpServer *http);
