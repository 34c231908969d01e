/* What serve and watch share: answers at an address, with the live page, as options say it: who may ask, by token, TLS and address. */
#pragma once

#include "core/system/service_signals.h"
#include "train/cli/arguments.h"
#include "train/serve/http_server.h"
#include "train/serve/listening.h"

typedef struct EadHttpService {
    const EadArguments *arguments;
    EadOptionId listen, certificate, key,
        authority;         /* the options, which have other names in other commands */
    const char *decisions; /* file of the page, borrowed; checked before where it was named */
    EadServer server;      /* models, rules and what it answers are set by whoever has it */
    EadListening listening;
    EadHttpServer *http;
    char *certificate_text, *key_text, *authority_text; /* NULL: without TLS; all clients may ask */
} EadHttpService;

/* Reads token, certificate and key, and tries address and decisions' file: adds all that is wrong, and makes nothing. */
void ead_http_service_check(EadHttpService *service, EadProblems *problems);

/* Opens the address and answers there from now on; the models have to be open. http: its limits; the rest is set here. workers, queue: of
 * ead_server_start(). Errors: EAD_IO, EAD_NO_MEMORY, EAD_UNSUPPORTED; the service is to be freed all the same. */
EadStatus ead_http_service_start(EadHttpService *service, EadHttpOptions http, int workers, int queue);

/* Says where it listens. */
void ead_http_service_tell(const EadHttpService *service);

/* Takes no more requests; those under way may end until then (ead_clock_seconds()), or a second signal. What has not is cut off, and told of.
 * Harmless on one that was not started. */
void ead_http_service_drain(EadHttpService *service, EadServiceSignals *signals, double deadline);

/* Frees all but the models, once nobody adds to the page any more. */
void ead_http_service_free(EadHttpService *service);
