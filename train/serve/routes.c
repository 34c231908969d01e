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

/* Behind a prefix what is left of the path, to its next slash; NULL: the path begins otherwise, or that is no name. */
static const char *take_name(const char *path, const char *prefix, char name[EAD_SERVE_NAME]) {
    size_t before = strlen(prefix);
    if (strncmp(path, prefix, before) != 0) return NULL;
    size_t length = strcspn(path + before, "/");
    if (length == 0 || length >= EAD_SERVE_NAME) return NULL;
    memcpy(name, path + before, length);
    name[length] = '\0';
    return path + before + length;
}

EadServeRoute ead_serve_route(const char *path, char name[EAD_SERVE_NAME]) {
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
                  {"/reload", EAD_ROUTE_RELOAD},
                  {"/", EAD_ROUTE_PAGE},
                  {"/page/about", EAD_ROUTE_PAGE_ABOUT},
                  {"/page/news", EAD_ROUTE_PAGE_NEWS},
                  {"/page/decisions", EAD_ROUTE_PAGE_DECISION}};
    const char *rest;
    name[0] = '\0';
    for (size_t i = 0; i < sizeof routes / sizeof *routes; i++)
        if (strcmp(path, routes[i].path) == 0) return routes[i].route;
    if ((rest = take_name(path, "/v2/models/", name)) != NULL) return route_of_model(rest);
    if ((rest = take_name(path, "/page/image/", name)) != NULL && !*rest) return EAD_ROUTE_PAGE_IMAGE;
    if ((rest = take_name(path, "/page/heat/", name)) != NULL && !*rest) return EAD_ROUTE_PAGE_HEAT;
    return EAD_ROUTE_NONE;
}

bool ead_serve_route_is_of_page(EadServeRoute route) {
    return route >= EAD_ROUTE_PAGE;
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

/* "http://HOST" of the very server that is asked. */
static bool is_own_origin(const char *origin, const char *host) {
    const char *name = strstr(origin, "://");
    return name && host && strcmp(name + 3, host) == 0;
}

bool ead_serve_admit(const EadServeGuard *guard, const EadServeRequest *request, EadServeReply *reply) {
    char name[EAD_SERVE_NAME];
    EadServeRoute route = ead_serve_route(request->path, name);
    bool open = route == EAD_ROUTE_LIVE || route == EAD_ROUTE_READY || route == EAD_ROUTE_PAGE;
    if (guard->loopback_host && request->host && !is_loopback_host(request->host)) {
        ead_reply_error(
            reply, EAD_HTTP_MISDIRECTED,
            "this server answers requests to localhost only, not to '%.100s'; with a token (--token-file) it "
            "answers to any name",
            request->host);
        return false;
    }
    if (!guard->token && request->origin && !is_own_origin(request->origin, request->host)) {
        ead_reply_error(reply, EAD_HTTP_FORBIDDEN,
                        "the web page %.100s is not this server's; with a token (--token-file) it may ask",
                        request->origin);
        return false;
    }
    if (open || !guard->token || knows_token(guard, request->authorization)) return true;
    ead_reply_error(reply, EAD_HTTP_UNAUTHORIZED, "needs the server's token: Authorization: Bearer TOKEN");
    reply->authenticate = true;
    return false;
}
