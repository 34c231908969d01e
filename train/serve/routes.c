/* Paths, methods, hosts and tokens. */
#include "train/serve/routes.h"

#include <string.h>

/* ---- routes ---- */

/* Below /v2/models/NAME, with or without /versions/1. */
static EadServeRoute route_of_model(const char *rest) {
    static const char version[] = "/versions/1";
    size_t length = sizeof version - 1;
    if (strncmp(rest, version, length) == 0 && (rest[length] == '/' || rest[length] == '\0')) rest += length;
    if (*rest == '\0') return EAD_ROUTE_MODEL;
    if (strcmp(rest, "/ready") == 0) return EAD_ROUTE_MODEL_READY;
    if (strcmp(rest, "/config") == 0) return EAD_ROUTE_CONFIG;
    if (strcmp(rest, "/stats") == 0) return EAD_ROUTE_STATS;
    return strcmp(rest, "/infer") == 0 ? EAD_ROUTE_INFER : EAD_ROUTE_NONE;
}

EadServeRoute ead_serve_route(const char *path, char model[EAD_SERVE_NAME]) {
    static const struct {
        const char *path;
        EadServeRoute route;
    } routes[] = {{"/v2", EAD_ROUTE_SERVER},
                  {"/v2/", EAD_ROUTE_SERVER},
                  {"/v2/health/live", EAD_ROUTE_LIVE},
                  {"/v2/health/ready", EAD_ROUTE_READY},
                  {"/v2/repository/index", EAD_ROUTE_INDEX},
                  {"/metrics", EAD_ROUTE_METRICS},
                  {"/predict", EAD_ROUTE_PREDICT},
                  {"/reload", EAD_ROUTE_RELOAD}};
    static const char models[] = "/v2/models/";
    model[0] = '\0';
    for (size_t i = 0; i < sizeof routes / sizeof *routes; i++)
        if (strcmp(path, routes[i].path) == 0) return routes[i].route;
    if (strncmp(path, models, sizeof models - 1) != 0) return EAD_ROUTE_NONE;
    const char *name = path + sizeof models - 1;
    size_t length = strcspn(name, "/");
    if (length == 0 || length >= EAD_SERVE_NAME) return EAD_ROUTE_NONE;
    memcpy(model, name, length);
    model[length] = '\0';
    return route_of_model(name + length);
}

static const struct {
    const char *name, *method;
} facts[] = {
#define X(route, name, method) {name, method},
    EAD_SERVE_ROUTES(X)
#undef X
};

const char *ead_serve_route_name(EadServeRoute route) {
    return facts[route].name;
}

bool ead_serve_route_takes(EadServeRoute route, const EadServeRequest *request, EadServeReply *reply) {
    const char *method = facts[route].method;
    bool get = strcmp(method, "GET") == 0, head = get && strcmp(request->method, "HEAD") == 0;
    if (head || strcmp(request->method, method) == 0) return true;
    ead_reply_error(reply, EAD_HTTP_BAD_METHOD, "%s answers %s only", request->path, method);
    reply->allow = get ? "GET, HEAD" : method;
    return false;
}

/* ---- who may ask ---- */

/* "localhost", "127.0.0.1:8080", "[::1]:8080": a name that leads here and nowhere else. */
static bool is_loopback_host(const char *host) {
    static const char *const names[] = {"localhost", "127.0.0.1", "[::1]"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        size_t length = strlen(names[i]);
        if (strncmp(host, names[i], length) == 0 && (host[length] == ':' || host[length] == '\0'))
            return true;
    }
    return false;
}

/* Takes as long whatever the given text is. */
static bool same_secret(const char *secret, const char *given) {
    size_t length = strlen(secret), got = strlen(given), step = got > 0;
    unsigned differs = length != got;
    for (size_t i = 0, k = 0; i < length; i++, k = k + step < got ? k + step : 0)
        differs |= (unsigned char)secret[i] ^ (unsigned char)given[k];
    return differs == 0;
}

static bool knows_token(const EadServeGuard *guard, const char *authorization) {
    static const char scheme[] = "Bearer ";
    if (!authorization || strncmp(authorization, scheme, sizeof scheme - 1) != 0) return false;
    return same_secret(guard->token, authorization + sizeof scheme - 1);
}

bool ead_serve_admit(const EadServeGuard *guard, const EadServeRequest *request, EadServeReply *reply) {
    char model[EAD_SERVE_NAME];
    EadServeRoute route = ead_serve_route(request->path, model);
    bool health = route == EAD_ROUTE_LIVE || route == EAD_ROUTE_READY;
    if (guard->loopback_host && request->host && !is_loopback_host(request->host)) {
        ead_reply_error(
            reply, EAD_HTTP_MISDIRECTED,
            "this server answers requests to localhost only, not to '%.100s'; with a token (--token-file) it "
            "answers to any name",
            request->host);
        return false;
    }
    if (health || !guard->token || knows_token(guard, request->authorization)) return true;
    ead_reply_error(reply, EAD_HTTP_UNAUTHORIZED, "needs the server's token: Authorization: Bearer TOKEN");
    reply->authenticate = true;
    return false;
}
