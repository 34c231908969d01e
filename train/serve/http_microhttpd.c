/* One thread of libmicrohttpd takes in requests; a request whose images are scored is suspended meanwhile, so that
 * connections cost a slot and no thread. libmicrohttpd's own time limit counts silence alone: a client that sends a byte a second is ended by
 * a thread that looks after connections, once its header or body has taken too long. */
#define _GNU_SOURCE /* POLLRDHUP */
#include "train/serve/http_server.h"

#include "core/base/memory.h"
#include "core/system/clock.h"
#include "core/system/worker_threads.h"

#include <gnutls/x509.h>
#include <math.h>
#include <microhttpd.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    HEADER_BYTES = 32 << 10, /* of a connection: its header, and what is sent at once */
    FIRST_BODY = 64 << 10,
    TLS_ITEMS = 4,
    BODIES = 8, /* of the largest size, that all connections together may hold */
    GRACE =
        1, /* seconds that an idle connection stays open longer than is told: a request may be on its way */
    SLOWEST = 50000 /* bytes a second, on average, of what is not cut off */
};

/* A connection. */
typedef struct Line {
    int descriptor;
    /* When its present part began, to come in or to go out; later for each byte that has come or must go. INFINITY while an
     * answer is made. */
    double since;
    bool coming; /* bytes of a request are awaited */
    struct Line *previous, *next;
} Line;

struct EadHttpServer {
    EadServer *server;
    EadHttpOptions options;
    struct MHD_Daemon *daemon;
    pthread_mutex_t mutex; /* of lines */
    Line *lines;
    atomic_bool ending;
    atomic_int requests;
    atomic_size_t held; /* bytes of all bodies */
    EadWorkers watcher;
};

/* A request on its way. */
typedef struct Exchange {
    EadHttpServer *http;
    struct MHD_Connection *connection;
    EadServeJob job;
    uint8_t *body; /* [capacity] */
    size_t size, capacity;
    bool refused, submitted, counted;
    bool doubtful; /* where it ends */
} Exchange;

/* ---- bodies ---- */

static void release_body(Exchange *exchange) {
    atomic_fetch_sub(&exchange->http->held, exchange->capacity);
    free(exchange->body);
    exchange->body = NULL;
    exchange->size = exchange->capacity = 0;
}

static void refuse(Exchange *exchange, int code, const char *reason) {
    release_body(exchange);
    ead_reply_error(&exchange->job.reply, code, "%s", reason);
    if (code == EAD_HTTP_UNAVAILABLE) exchange->job.reply.retry_after = 1;
    exchange->refused = true;
}

static void refuse_size(Exchange *exchange) {
    const EadHttpOptions *options = &exchange->http->options;
    const char *option = options->body_option;
    char text[128];
    snprintf(text, sizeof text, "the body has more than %zu bytes%s%s%s", options->most_body,
             option ? " (" : "", option ? option : "", option ? ")" : "");
    refuse(exchange, EAD_HTTP_TOO_LARGE, text);
}

/* Makes room for `more` bytes; by doubling, since a client may name a length and never send it. */
static void grow(Exchange *exchange, size_t more) {
    EadHttpServer *http = exchange->http;
    size_t needed = exchange->size + more, capacity = exchange->capacity ? exchange->capacity : FIRST_BODY;
    if (needed > http->options.most_body) {
        refuse_size(exchange);
        return;
    }
    if (needed <= exchange->capacity) return;
    while (capacity < needed) capacity *= 2;
    if (capacity > http->options.most_body) capacity = http->options.most_body;
    size_t added = capacity - exchange->capacity;
    if (atomic_fetch_add(&http->held, added) + added > BODIES * http->options.most_body) {
        atomic_fetch_sub(&http->held, added);
        refuse(exchange, EAD_HTTP_UNAVAILABLE,
               "requests under way hold as much memory as they may; try again");
        return;
    }
    uint8_t *body = realloc(exchange->body, capacity);
    if (!body) {
        atomic_fetch_sub(&http->held, added);
        refuse(exchange, EAD_HTTP_UNAVAILABLE, "no memory for the body; try again");
        return;
    }
    exchange->body = body;
    exchange->capacity = capacity;
}

/* ---- requests ---- */

static const char *header(const Exchange *exchange, const char *name) {
    return MHD_lookup_connection_value(exchange->connection, MHD_HEADER_KIND, name);
}

static const char *query(const Exchange *exchange, const char *name) {
    return MHD_lookup_connection_value(exchange->connection, MHD_GET_ARGUMENT_KIND, name);
}

static Line *line_of(struct MHD_Connection *connection) {
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info ? info->socket_context : NULL;
}

static void set_line(EadHttpServer *http, struct MHD_Connection *connection, double since, bool coming) {
    Line *line = line_of(connection);
    pthread_mutex_lock(&http->mutex);
    if (line) line->since = since, line->coming = coming;
    pthread_mutex_unlock(&http->mutex);
}

static void add_body(Exchange *exchange, const char *bytes, size_t size) {
    if (exchange->refused) return;
    grow(exchange, size);
    if (exchange->refused) return;
    memcpy(exchange->body + exchange->size, bytes, size);
    exchange->size += size;
    set_line(exchange->http, exchange->connection,
             exchange->job.request.arrived + (double)exchange->size / SLOWEST, true);
}

/* In a worker, or at once. */
static void resume(EadServeJob *job) {
    Exchange *exchange = job->context;
    MHD_resume_connection(exchange->connection);
}

/* In a worker, while the connection is suspended. */
static bool is_gone(const EadServeJob *job) {
    const Exchange *exchange = job->context;
    const Line *line = line_of(exchange->connection);
    if (!line) return false;
    struct pollfd look = {.fd = line->descriptor, .events = POLLRDHUP};
    return poll(&look, 1, 0) > 0 && (look.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

/* Whether a body need not come in to be answered: it is too large, or its client waits for leave to send it. Others are read
 * and dropped, since a client that is still sending does not see the answer. */
static bool may_answer_early(const Exchange *exchange) {
    const char *length = header(exchange, "Content-Length");
    bool large = length && strtoull(length, NULL, 10) > exchange->http->options.most_body;
    return exchange->refused && (large || exchange->doubtful || header(exchange, "Expect"));
}

/* How often a request says what must be said once. */
typedef struct Said {
    int lengths, hosts;
} Said;

static enum MHD_Result count_header(void *context, enum MHD_ValueKind kind, const char *name,
                                    const char *value) {
    Said *said = context;
    (void)kind, (void)value;
    said->lengths += strcasecmp(name, "Content-Length") == 0 || strcasecmp(name, "Transfer-Encoding") == 0;
    said->hosts += strcasecmp(name, "Host") == 0;
    return MHD_YES;
}

/* A proxy may believe the one and libmicrohttpd the other; of two lengths, the rest of the body would be somebody else's request. */
static void refuse_ambiguous(Exchange *exchange, const char *version) {
    Said said = {0};
    MHD_get_connection_values(exchange->connection, MHD_HEADER_KIND, count_header, &said);
    exchange->doubtful = said.lengths > 1;
    if (exchange->doubtful && !exchange->refused)
        refuse(exchange, EAD_HTTP_BAD_REQUEST,
               "the length of the body is said twice (Content-Length, Transfer-Encoding)");
    if (!exchange->refused && (said.hosts > 1 || (said.hosts == 0 && strcmp(version, "HTTP/1.0") != 0)))
        refuse(exchange, EAD_HTTP_BAD_REQUEST, "a request names one host (Host)");
}

/* Whether the client has shown a certificate of the authority, made for clients. */
static bool is_client_known(struct MHD_Connection *connection) {
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    gnutls_typed_vdata_st purpose = {.type = GNUTLS_DT_KEY_PURPOSE_OID,
                                     .data = (unsigned char *)(uintptr_t)GNUTLS_KP_TLS_WWW_CLIENT};
    unsigned problems = 0;
    return info && gnutls_certificate_verify_peers(info->tls_session, &purpose, 1, &problems) == 0 &&
           problems == 0;
}

static void begin(Exchange *exchange, const char *method, const char *path, const char *version) {
    EadHttpServer *http = exchange->http;
    double now = ead_clock_seconds();
    exchange->job = (EadServeJob){.answered = resume, .is_gone = is_gone, .context = exchange};
    exchange->job.request =
        (EadServeRequest){.method = method,
                          .path = path,
                          .host = header(exchange, "Host"),
                          .origin = header(exchange, "Origin"),
                          .authorization = header(exchange, "Authorization"),
                          .json_size = header(exchange, "Inference-Header-Content-Length"),
                          .map = query(exchange, "map"),
                          .name = query(exchange, "name"),
                          .model = query(exchange, "model"),
                          .after = query(exchange, "after"),
                          .arrived = now,
                          .deadline = now + http->options.timeout};
    if (!ead_serve_admit(&http->server->guard, &exchange->job.request, &exchange->job.reply))
        exchange->refused = true;
    if (!exchange->refused && http->options.authority && !is_client_known(exchange->connection))
        refuse(exchange, EAD_HTTP_FORBIDDEN,
               "this server answers those alone who show a certificate of an issuer that it knows");
    refuse_ambiguous(exchange, version);
    const char *length = header(exchange, "Content-Length"), *encoding = header(exchange, "Content-Encoding");
    if (!exchange->refused && encoding && strcmp(encoding, "identity") != 0)
        refuse(exchange, EAD_HTTP_BAD_ENCODING, "bodies must not be compressed (Content-Encoding)");
    if (!exchange->refused && length && strtoull(length, NULL, 10) > http->options.most_body)
        refuse_size(exchange);
    set_line(http, exchange->connection, now, true);
}

static void add_page_headers(struct MHD_Response *response, const char *policy) {
    MHD_add_response_header(response, "Content-Security-Policy", policy);
    MHD_add_response_header(response, "Referrer-Policy", "no-referrer");
    MHD_add_response_header(response, "Cache-Control", "no-store");
}

/* Whether and for how long the connection can be used again, so that no client sends into one that is being closed. */
static void add_connection_headers(const EadHttpServer *http, struct MHD_Response *response) {
    char idle[32];
    snprintf(idle, sizeof idle, "timeout=%.0f", http->options.idle);
    if (atomic_load(&http->server->draining)) {
        MHD_add_response_header(response, "Connection", "close");
    } else {
        MHD_set_response_options(response, MHD_RF_SEND_KEEP_ALIVE_HEADER, MHD_RO_END);
        MHD_add_response_header(response, "Keep-Alive", idle);
    }
}

static void count(Exchange *exchange) {
    if (!exchange->counted)
        ead_server_count(exchange->http->server, &exchange->job.request, &exchange->job.reply);
    exchange->counted = true;
}

static enum MHD_Result send_reply(Exchange *exchange) {
    EadServeReply *reply = &exchange->job.reply;
    char number[32];
    count(exchange);
    set_line(exchange->http, exchange->connection, ead_clock_seconds() + (double)reply->size / SLOWEST,
             false);
    struct MHD_Response *response =
        MHD_create_response_from_buffer(reply->size, reply->body ? reply->body : "", MHD_RESPMEM_PERSISTENT);
    if (!response) return MHD_NO;
    MHD_add_response_header(response, "Content-Type", reply->type);
    MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    snprintf(number, sizeof number, "%zu", reply->json_size);
    if (reply->json_size) MHD_add_response_header(response, "Inference-Header-Content-Length", number);
    snprintf(number, sizeof number, "%d", reply->retry_after);
    if (reply->retry_after) MHD_add_response_header(response, "Retry-After", number);
    if (reply->authenticate) MHD_add_response_header(response, "WWW-Authenticate", "Bearer");
    if (reply->allow) MHD_add_response_header(response, "Allow", reply->allow);
    if (reply->policy) add_page_headers(response, reply->policy);
    add_connection_headers(exchange->http, response);
    enum MHD_Result result = MHD_queue_response(exchange->connection, (unsigned)reply->code, response);
    MHD_destroy_response(response);
    return result;
}

static void submit(Exchange *exchange) {
    exchange->job.request.body = exchange->body;
    exchange->job.request.size = exchange->size;
    exchange->submitted = true;
    set_line(exchange->http, exchange->connection, INFINITY, false);
    MHD_suspend_connection(exchange->connection);
    ead_server_submit(exchange->http->server, &exchange->job);
}

/* What has a zero byte in it stays as it is, and so leads nowhere: a proxy sees another path than a text that ends there. */
static size_t unescape(void *context, struct MHD_Connection *connection, char *text) {
    (void)context, (void)connection;
    return strstr(text, "%00") ? strlen(text) : MHD_http_unescape(text);
}

/* Called with the header, with every piece of the body, and at its end; and once more when the answer is there. */
static enum MHD_Result handle(void *context, struct MHD_Connection *connection, const char *path,
                              const char *method, const char *version, const char *upload,
                              size_t *upload_size, void **state) {
    EadHttpServer *http = context;
    Exchange *exchange = *state;
    if (!exchange) {
        exchange = calloc(1, sizeof *exchange);
        if (!exchange) return MHD_NO;
        *state = exchange;
        exchange->http = http;
        exchange->connection = connection;
        atomic_fetch_add(&http->requests, 1);
        begin(exchange, method, path, version);
        return may_answer_early(exchange) ? send_reply(exchange) : MHD_YES;
    }
    if (*upload_size > 0) {
        add_body(exchange, upload, *upload_size);
        *upload_size = 0;
        return MHD_YES;
    }
    if (!exchange->refused && !exchange->submitted) {
        submit(exchange);
        return MHD_YES;
    }
    return send_reply(exchange);
}

static void complete(void *context, struct MHD_Connection *connection, void **state,
                     enum MHD_RequestTerminationCode code) {
    EadHttpServer *http = context;
    Exchange *exchange = *state;
    (void)code;
    if (!exchange) return;
    if (!exchange->counted) exchange->job.reply.code = EAD_HTTP_GONE;
    count(exchange);
    set_line(http, connection, ead_clock_seconds() + GRACE, true);
    release_body(exchange);
    ead_reply_free(&exchange->job.reply);
    free(exchange);
    *state = NULL;
    atomic_fetch_sub(&http->requests, 1);
}

/* ---- connections ---- */

static void connect_or_close(void *context, struct MHD_Connection *connection, void **socket_context,
                             enum MHD_ConnectionNotificationCode code) {
    EadHttpServer *http = context;
    Line *line = *socket_context;
    if (code == MHD_CONNECTION_NOTIFY_STARTED && (line = calloc(1, sizeof *line)) != NULL) {
        line->descriptor = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
        line->since = ead_clock_seconds();
        line->coming = true;
        *socket_context = line;
        pthread_mutex_lock(&http->mutex);
        line->next = http->lines;
        if (line->next) line->next->previous = line;
        http->lines = line;
        pthread_mutex_unlock(&http->mutex);
    } else if (code == MHD_CONNECTION_NOTIFY_CLOSED && line) {
        pthread_mutex_lock(&http->mutex);
        if (line->next) line->next->previous = line->previous;
        *(line->previous ? &line->previous->next : &http->lines) = line->next;
        pthread_mutex_unlock(&http->mutex);
        *socket_context = NULL;
        free(line);
    }
}

/* Whether a client that owes a request has hung up, and all that it sent is read. libmicrohttpd does not see it where the
 * end came with the last bytes. */
static bool is_cut_short(const Line *line) {
    char next;
    return line->coming && recv(line->descriptor, &next, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

/* Ends, twice a second, what has taken too long or was cut short: libmicrohttpd finds the connection closed. */
static void *watch(void *context) {
    EadHttpServer *http = context;
    while (!atomic_load(&http->ending)) {
        nanosleep(&(struct timespec){.tv_nsec = 500000000}, NULL);
        double now = ead_clock_seconds();
        pthread_mutex_lock(&http->mutex);
        for (Line *line = http->lines; line; line = line->next)
            if (now - line->since > http->options.idle || is_cut_short(line))
                shutdown(line->descriptor, SHUT_RDWR);
        pthread_mutex_unlock(&http->mutex);
    }
    return NULL;
}

/* ---- the daemon ---- */

/* libmicrohttpd's words for a certificate, its key and an authority. */
static void set_tls(struct MHD_OptionItem items[TLS_ITEMS], const char *certificate, const char *key,
                    const char *authority) {
    int count = 0;
    if (certificate) {
        items[count++] =
            (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_CERT, 0, (void *)(uintptr_t)certificate};
        items[count++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)(uintptr_t)key};
    }
    if (authority)
        items[count++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_TRUST, 0, (void *)(uintptr_t)authority};
    items[count] = (struct MHD_OptionItem){MHD_OPTION_END, 0, NULL};
}

static bool takes_tls(const char *certificate, const char *key, const char *authority) {
    struct MHD_OptionItem tls[TLS_ITEMS];
    set_tls(tls, certificate, key, authority);
    struct MHD_Daemon *trial =
        MHD_start_daemon(MHD_USE_NO_LISTEN_SOCKET | MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ITC | MHD_USE_TLS,
                         0, NULL, NULL, handle, NULL, MHD_OPTION_ARRAY, tls, MHD_OPTION_END);
    if (trial) MHD_stop_daemon(trial);
    return trial != NULL;
}

EadStatus ead_http_check(const char *certificate, const char *key, const char *authority) {
    if (!certificate) return EAD_OK;
    if (MHD_is_feature_supported(MHD_FEATURE_TLS) != MHD_YES)
        return ead_fail(EAD_UNSUPPORTED, "this libmicrohttpd was built without TLS");
    if (!takes_tls(certificate, key, NULL))
        return ead_fail(EAD_BAD_FILE, "the key is not that of the certificate, or damaged");
    if (!authority || takes_tls(certificate, key, authority)) return EAD_OK;
    return ead_fail(EAD_BAD_FILE, "the certificates of the clients' issuers are damaged");
}

static struct MHD_Daemon *start_daemon(EadHttpServer *http) {
    const EadHttpOptions *options = &http->options;
    struct MHD_OptionItem tls[TLS_ITEMS];
    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME;
    set_tls(tls, options->certificate, options->key, options->authority);
    return MHD_start_daemon(
        flags | (options->certificate ? MHD_USE_TLS : 0), 0, NULL, NULL, handle, http,
        MHD_OPTION_LISTEN_SOCKET, options->socket, MHD_OPTION_NOTIFY_COMPLETED, complete, http,
        MHD_OPTION_UNESCAPE_CALLBACK, unescape, NULL, MHD_OPTION_NOTIFY_CONNECTION, connect_or_close, http,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned)options->most_connections, MHD_OPTION_PER_IP_CONNECTION_LIMIT,
        (unsigned)options->most_of_address, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)options->idle + GRACE,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HEADER_BYTES, MHD_OPTION_ARRAY, tls, MHD_OPTION_END);
}

EadStatus ead_http_start(EadServer *server, const EadHttpOptions *options, EadHttpServer **out) {
    *out = NULL;
    EadStatus status = ead_http_check(options->certificate, options->key, options->authority);
    EadHttpServer *http = status == EAD_OK ? ead_new(1, sizeof *http, "the HTTP server") : NULL;
    if (http) {
        http->server = server;
        http->options = *options;
        pthread_mutex_init(&http->mutex, NULL);
        http->daemon = start_daemon(http);
    }
    if (!http || !http->daemon) {
        close(options->socket);
        if (status == EAD_OK)
            status = http ? ead_fail(EAD_IO, "the HTTP server could not be started") : EAD_NO_MEMORY;
        free(http);
        return status;
    }
    status = ead_workers_start(&http->watcher, 1, watch, http);
    if (status == EAD_OK)
        *out = http;
    else
        ead_http_stop(http);
    return status;
}

void ead_http_quiesce(EadHttpServer *http) {
    MHD_socket listening = MHD_quiesce_daemon(http->daemon);
    if (listening != MHD_INVALID_SOCKET) close(listening);
}

int ead_http_requests(EadHttpServer *http) {
    return atomic_load(&http->requests);
}

void ead_http_stop(EadHttpServer *http) {
    if (!http) return;
    atomic_store(&http->ending, true);
    ead_workers_join(&http->watcher);
    MHD_stop_daemon(http->daemon);
    pthread_mutex_destroy(&http->mutex);
    free(http);
}
