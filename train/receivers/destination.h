/* Addresses of other machines, as options name them: SCHEME://HOST[:PORT][/PATH]. */
#pragma once

#include "core/base/status.h"

#include <stdbool.h>

typedef struct EadDestination {
    bool secure;    /* by the scheme's s: TLS */
    char host[256]; /* of [::1] what is in the brackets */
    int port;
    const char *path; /* behind the first slash, "" for none; borrowed from the text */
} EadDestination;

/* scheme: "mqtt" or "http"; ports: without and with TLS, where none is named. Names and passwords in an address are refused: other users of the machine
 * see them. Errors: EAD_BAD_ARGUMENT, naming option and text. */
EadStatus ead_destination_read(const char *option, const char *text, const char *scheme, const int ports[2],
                               EadDestination *out);

/* Whether it is this machine, by its name: localhost, 127.x.x.x or ::1. */
bool ead_destination_is_local(const EadDestination *destination);
