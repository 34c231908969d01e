/* The socket on which requests come in. */
#pragma once

#include "core/base/status.h"

#include <stdbool.h>

typedef struct EadListening {
    int socket;
    bool loopback;     /* only this machine reaches it: 127.0.0.0/8, ::1, or a Unix socket */
    bool by_address;   /* it has an address, not a file */
    char address[128]; /* for people and clients: 127.0.0.1:8080, "unix:/run/efficientad.sock" */
    char file[108];    /* of a Unix socket that was made here, to be removed; "" for none */
    int made;          /* descriptor of that file: by it the file is known again */
} EadListening;

/* Opens it: "127.0.0.1:8080", "[::1]:8080", "localhost:8080" (port 0: any that is free), ":8080" (all addresses), or "unix:PATH" (mode 0660; ~ is the home folder); a socket
 * file that nobody has any more is replaced. What systemd hands over (LISTEN_FDS) goes before it. Errors: EAD_BAD_ARGUMENT, EAD_IO. */
EadStatus ead_listen(const char *where, EadListening *out);

/* Tries whether it can be opened, and leaves nothing open of its own: loopback and address are set. Errors: those of ead_listen(). */
EadStatus ead_listen_check(const char *where, EadListening *out);

/* Removes the file of a Unix socket, unless another has taken its place; best while it is still listened at, since then nobody puts
 * his own there. Harmless twice. */
void ead_listen_end(EadListening *listening);
