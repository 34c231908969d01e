/* A request that has come in whole, and the reply to it: all that is between HTTP and what is served. */
#pragma once

#include "core/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Texts and bytes are borrowed for as long as the request is answered. */
typedef struct EadServeRequest {
    const char *method, *path; /* "POST", "/v2/models/bottle/infer", decoded */
    /* Headers; NULL: not there. origin: of the web page that asks; json_size: Inference-Header-Content-Length */
    const char *host, *origin, *authorization, *json_size;
    const char *map, *name, *model, *after; /* of the query, ?map=png&name=...; NULL: not there */
    const uint8_t *body;                    /* [size] */
    size_t size;
    double arrived, received,
        deadline; /* of ead_clock_seconds(): its header, its last byte; received 0: at once */
} EadServeRequest;

typedef struct EadServeReply {
    int code;         /* of HTTP */
    const char *type; /* Content-Type */
    char *body;       /* [size], owned */
    size_t size;
    size_t json_size;  /* bytes of JSON before the binary tensors; 0: all of it is JSON, or none */
    int retry_after;   /* seconds; 0: no such header */
    bool authenticate; /* WWW-Authenticate: Bearer */
    const char *allow; /* methods; NULL: no such header */
    /* Content-Security-Policy of what browsers show, which they are not to store; borrowed; NULL: no such headers */
    const char *policy;
} EadServeReply;

enum {
    EAD_HTTP_OK = 200,
    EAD_HTTP_BAD_REQUEST = 400,
    EAD_HTTP_UNAUTHORIZED = 401,
    EAD_HTTP_FORBIDDEN = 403,
    EAD_HTTP_NOT_FOUND = 404,
    EAD_HTTP_BAD_METHOD = 405,
    EAD_HTTP_TOO_LARGE = 413,
    EAD_HTTP_BAD_ENCODING = 415,
    EAD_HTTP_MISDIRECTED = 421,
    EAD_HTTP_GONE = 499, /* of metrics alone: nobody was there to read it */
    EAD_HTTP_FAILED = 500,
    EAD_HTTP_UNAVAILABLE = 503,
    EAD_HTTP_LATE = 504
};

/* Harmless on a zeroed one. */
void ead_reply_free(EadServeReply *reply);

/* A body of a text, printf-style. Without memory it is empty, with code 503. */
void ead_reply_text(EadServeReply *reply, int code, const char *type, const char *format, ...)
    EAD_PRINTF(4, 5);

/* {"error": "..."}, as the Open Inference Protocol has it. */
void ead_reply_error(EadServeReply *reply, int code, const char *format, ...) EAD_PRINTF(3, 4);

/* The same of the thread's message; what was wrong with the request is 400, too
 * large (EAD_BAD_SHAPE) 413, what with the server 500, no memory 503, a deadline (EAD_INTERRUPTED) 504. */
void ead_reply_failure(EadServeReply *reply, EadStatus status);

/* A body that is written to a stream: NULL without memory, of which the reply then tells. Close with ead_reply_end(). */
FILE *ead_reply_begin(EadServeReply *reply, int code, const char *type);
void ead_reply_end(EadServeReply *reply, FILE *stream);
