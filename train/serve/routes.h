/* Where a request goes, by its path, and who may send it, by its headers. */
#pragma once

#include "train/serve/exchange.h"

/* X(route, name in the metrics, method) */
#define EAD_SERVE_ROUTES(X)                                                                                  \
    X(NONE, "none", "GET")                                                                                   \
    X(SERVER, "server", "GET")                                                                               \
    X(LIVE, "live", "GET")                                                                                   \
    X(READY, "ready", "GET")                                                                                 \
    X(METRICS, "metrics", "GET")                                                                             \
    X(INDEX, "index", "POST")                                                                                \
    X(MODEL, "model", "GET")                                                                                 \
    X(MODEL_READY, "model_ready", "GET")                                                                     \
    X(CONFIG, "config", "GET")                                                                               \
    X(STATS, "stats", "GET")                                                                                 \
    X(INFER, "infer", "POST")                                                                                \
    X(PREDICT, "predict", "POST")                                                                            \
    X(RELOAD, "reload", "POST")                                                                              \
    X(PAGE, "page", "GET")                                                                                   \
    X(PAGE_ABOUT, "page_about", "GET")                                                                       \
    X(PAGE_NEWS, "page_news", "GET")                                                                         \
    X(PAGE_IMAGE, "page_image", "GET")                                                                       \
    X(PAGE_HEAT, "page_heat", "GET")                                                                         \
    X(PAGE_DECISION, "page_decision", "POST")

typedef enum EadServeRoute {
#define X(route, name, method) EAD_ROUTE_##route,
    EAD_SERVE_ROUTES(X)
#undef X
} EadServeRoute;

enum { EAD_SERVE_NAME = 128 };

/* The route of a path, and the name of the model, or the number of the image, in it ("" for none). A path that leads nowhere is EAD_ROUTE_NONE. */
EadServeRoute ead_serve_route(const char *path, char name[EAD_SERVE_NAME]);
const char *ead_serve_route_name(EadServeRoute route);

/* Whether it is one of the live page's. */
bool ead_serve_route_is_of_page(EadServeRoute route);

/* Whether the route answers this method (HEAD as GET); else the reply says which. */
bool ead_serve_route_takes(EadServeRoute route, const EadServeRequest *request, EadServeReply *reply);

/* Who may ask. */
typedef struct EadServeGuard {
    char *token; /* NULL: everyone may ask */
    bool
        loopback_host; /* only requests to this machine's own name (Host) are answered: a web page elsewhere cannot ask */
} EadServeGuard;

/* Whether a request may be answered at all, by its headers: else the reply says why not. Where there is no token, the pages of
 * other servers may not ask, whose requests a browser here would send. Health, and the page without what it shows, need none. */
bool ead_serve_admit(const EadServeGuard *guard, const EadServeRequest *request, EadServeReply *reply);
