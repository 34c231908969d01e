/* A build without libmicrohttpd (serve.mk). */
#include "train/serve/http_server.h"

#include <unistd.h>

EadStatus ead_http_check(const char *certificate, const char *key, const char *authority) {
    (void)certificate, (void)key, (void)authority;
    return ead_fail(EAD_UNSUPPORTED,
                    "this program was built without libmicrohttpd and cannot serve; install it "
                    "(libmicrohttpd-dev) and build again");
}

EadStatus ead_http_start(EadServer *server, const EadHttpOptions *options, EadHttpServer **out) {
    (void)server;
    *out = NULL;
    close(options->socket);
    return ead_http_check(options->certificate, options->key, options->authority);
}

void ead_http_quiesce(EadHttpServer *http) {
    (void)http;
}

int ead_http_requests(EadHttpServer *http) {
    (void)http;
    return 0;
}

void ead_http_stop(EadHttpServer *http) {
    (void)http;
}
