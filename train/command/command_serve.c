/* efficientad serve: answers requests until SIGTERM or Ctrl-C. Then it takes no more, finishes what it has begun, and ends with exit code 0;
 * SIGHUP opens changed model files again. */
#include "train/cli/arguments.h"

#include "core/base/memory.h"
#include "core/base/minmax.h"
#include "core/base/printing.h"
#include "core/file/output_check.h"
#include "core/system/clock.h"
#include "core/system/machine.h"
#include "core/system/service_signals.h"
#include "core/system/worker_threads.h"
#include "train/serve/http_server.h"
#include "train/serve/listening.h"
#include "train/serve/serve_documents.h"
#include "train/support/service.h"

#include <limits.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum { MEGABYTE = 1 << 20, SPARE_DESCRIPTORS = 64, MOST_WORKERS = 128 };

/* All that runs. */
typedef struct Service {
    const EadArguments *arguments;
    EadServer server;
    EadListening listening;
    EadHttpServer *http;
    char *certificate, *key; /* NULL: without TLS */
    bool quiet;
    EadServiceSignals *signals;
    EadWorkers reloader; /* a thread that opens changed models, which may take its time */
} Service;

static int number(const EadArguments *arguments, EadOptionId id) {
    return (int)ead_arguments_value(arguments, id).i64;
}

/* ---- before the work ---- */

static void read_tls(Service *service, EadProblems *problems) {
    const EadArguments *arguments = service->arguments;
    bool certificate = ead_arguments_given(arguments, EAD_OPTION_TLS_CERT),
         key = ead_arguments_given(arguments, EAD_OPTION_TLS_KEY);
    int known = problems->lines.count;
    if (certificate != key)
        ead_problems_add(problems, ead_fail(EAD_BAD_ARGUMENT, "--tls-cert and --tls-key go together"));
    ead_problems_add(problems, ead_pem_read("--tls-cert", arguments->values[EAD_OPTION_TLS_CERT],
                                            EAD_PEM_CERTIFICATE, &service->certificate));
    ead_problems_add(problems, ead_pem_read("--tls-key", arguments->values[EAD_OPTION_TLS_KEY], EAD_PEM_KEY,
                                            &service->key));
    if (problems->lines.count == known)
        ead_problems_add(problems, ead_http_check(service->certificate, service->key));
    if (service->key) ead_secret_warn("--tls-key", arguments->values[EAD_OPTION_TLS_KEY]);
}

/* After it was read. */
static EadStatus check_token(const Service *service) {
    const EadArguments *arguments = service->arguments;
    if (!service->server.guard.token) return EAD_OK;
    ead_secret_warn("--token-file", arguments->values[EAD_OPTION_TOKEN_FILE]);
    if (!ead_arguments_given(arguments, EAD_OPTION_NO_TOKEN)) return EAD_OK;
    return ead_fail(EAD_BAD_ARGUMENT, "--token-file and --no-token contradict each other; give one of them");
}

static EadStatus check_address(const EadArguments *arguments) {
    EadListening found;
    bool guarded = ead_arguments_given(arguments, EAD_OPTION_TOKEN_FILE);
    EAD_TRY(ead_listen_check(ead_arguments_text(arguments, EAD_OPTION_LISTEN), &found));
    if (found.loopback || guarded || ead_arguments_given(arguments, EAD_OPTION_NO_TOKEN)) return EAD_OK;
    return ead_fail(EAD_BAD_ARGUMENT,
                    "--listen: %s can be reached from other machines; give --token-file FILE, or --no-token "
                    "if everyone may ask",
                    found.address);
}

static EadStatus check_decisions(const EadArguments *arguments) {
    const char *path = ead_arguments_text(arguments, EAD_OPTION_DECISIONS);
    if (!ead_arguments_given(arguments, EAD_OPTION_DECISIONS)) return EAD_OK; /* made when it is needed */
    EAD_TRY(ead_check_output_file(path, "--decisions"));
    return ead_decisions_check(path);
}

static EadStatus add_model(EadModelRegistry *models, const char *text) {
    char *name, *expanded;
    const char *path;
    EAD_TRY(ead_model_registry_split(text, &name, &path));
    EadStatus status = ead_path_expand(path, &expanded);
    if (status == EAD_OK) status = ead_model_registry_add(models, name, expanded);
    free(expanded);
    free(name);
    return status;
}

/* Every --model; what is wrong with one does not hide what is wrong with the next. */
static void add_models(const EadArguments *arguments, EadModelRegistry *models, EadProblems *problems) {
    const char *given = arguments->values[EAD_OPTION_SERVED];
    char *list = given ? ead_strdup(given) : NULL, *rest = NULL;
    if (given && !list) ead_problems_add(problems, EAD_NO_MEMORY);
    for (char *text = list ? strtok_r(list, ":", &rest) : NULL; text; text = strtok_r(NULL, ":", &rest))
        ead_problems_add(problems, add_model(models, text));
    free(list);
}

static EadStatus check_all(Service *service) {
    const EadArguments *arguments = service->arguments;
    EadProblems problems = {0};
    int count = number(arguments, EAD_OPTION_WORKERS), all = omp_get_max_threads();
    EadServeDetectors detectors = {
        .count = count, .threads = ead_max(all / count, 1), .batch = number(arguments, EAD_OPTION_MAX_BATCH)};
    ead_problems_add_all(&problems, &arguments->problems);
    ead_problems_add(&problems, ead_arguments_plan_options(arguments, &detectors.plan));
    ead_problems_add(&problems, ead_secret_read("--token-file", arguments->values[EAD_OPTION_TOKEN_FILE],
                                                &service->server.guard.token));
    read_tls(service, &problems);
    ead_problems_add(&problems, check_token(service));
    ead_problems_add(&problems, check_address(arguments));
    ead_problems_add(&problems, check_decisions(arguments));
    EadStatus status = ead_model_registry_new(&detectors, &service->server.models);
    if (status == EAD_OK) add_models(arguments, service->server.models, &problems);
    if (status == EAD_OK && problems.status == EAD_OK)
        ead_model_registry_open(service->server.models, &problems);
    if (status == EAD_OK) status = ead_problems_tell(&problems, stderr);
    ead_problems_free(&problems);
    return status;
}

/* ---- start ---- */

/* A descriptor for each connection: as many as the system lets this process have. */
static int most_connections(const EadArguments *arguments) {
    struct rlimit limit;
    int wanted = number(arguments, EAD_OPTION_CONNECTIONS);
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return wanted;
    setrlimit(RLIMIT_NOFILE, &(struct rlimit){limit.rlim_max, limit.rlim_max});
    getrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur >= (rlim_t)wanted + SPARE_DESCRIPTORS)
        return wanted;
    return limit.rlim_cur > 2 * SPARE_DESCRIPTORS ? (int)limit.rlim_cur - SPARE_DESCRIPTORS
                                                  : SPARE_DESCRIPTORS;
}

/* Threads that decode while all detectors work, and have a batch in hand for each. */
static int choose_workers(const Service *service) {
    int models = ead_model_registry_names(service->server.models)->count;
    int busy = models * number(service->arguments, EAD_OPTION_WORKERS) *
               number(service->arguments, EAD_OPTION_MAX_BATCH);
    return ead_min(busy + ead_machine_cpus(), MOST_WORKERS);
}

static EadStatus start_page(Service *service) {
    const EadArguments *arguments = service->arguments;
    bool guarded = service->server.guard.token != NULL;
    EadLivePageOptions options = {.memory = (int64_t)number(arguments, EAD_OPTION_PAGE_MEMORY) * MEGABYTE,
                                  .decisions = ead_arguments_text(arguments, EAD_OPTION_DECISIONS),
                                  .may_decide = guarded || service->listening.loopback,
                                  .guarded = guarded,
                                  .write_models = ead_serve_write_models,
                                  .context = service->server.models};
    return options.memory > 0 ? ead_live_page_new(&options, &service->server.page) : EAD_OK;
}

static void *reload(void *context) {
    Service *service = context;
    while (ead_service_signals_reload(service->signals)) {
        EadProblems problems = {0};
        int changed = ead_model_registry_reload(service->server.models, &problems);
        for (int i = 0; i < problems.lines.count; i++)
            ead_print(stderr, "%s; the model before is served on\n", problems.lines.items[i]);
        if (!service->quiet) ead_print(stderr, "%d model%s opened again\n", changed, changed == 1 ? "" : "s");
        ead_problems_free(&problems);
    }
    return NULL;
}

static EadStatus start(Service *service) {
    const EadArguments *arguments = service->arguments;
    EAD_TRY(check_all(service));
    if (!service->quiet) ead_model_registry_tell(service->server.models, stderr);
    service->server.rules.max_pixels = ead_arguments_value(arguments, EAD_OPTION_SERVE_MAX_PIXELS).i64;
    EAD_TRY(ead_listen(ead_arguments_text(arguments, EAD_OPTION_LISTEN), &service->listening));
    service->server.guard.loopback_host =
        service->listening.loopback && service->listening.by_address && !service->server.guard.token;
    EAD_TRY(start_page(service));
    EAD_TRY(ead_server_start(&service->server, choose_workers(service), number(arguments, EAD_OPTION_QUEUE)));
    EadHttpOptions http = {.socket = service->listening.socket,
                           .most_body = (size_t)number(arguments, EAD_OPTION_MAX_BODY) * MEGABYTE,
                           .most_connections = most_connections(arguments),
                           .certificate = service->certificate,
                           .key = service->key,
                           .timeout = ead_arguments_value(arguments, EAD_OPTION_REQUEST_TIMEOUT).f64,
                           .idle = (double)number(arguments, EAD_OPTION_IDLE_TIMEOUT)};
    EAD_TRY(ead_http_start(&service->server, &http, &service->http));
    return ead_workers_start(&service->reloader, 1, reload, service);
}

/* ---- service ---- */

static void serve(Service *service) {
    const char *scheme = !service->listening.by_address ? "" : service->certificate ? "https://" : "http://";
    ead_service_signals_serve(service->signals);
    if (!service->quiet) ead_print(stderr, "listening at %s%s\n", scheme, service->listening.address);
    ead_service_notify("READY=1");
    while (ead_service_signals_wait(service->signals, 0, 3600) == 0)
        ;
}

/* What is under way may end; what has not by then is cut off. A second signal cuts it off at once. */
static void drain(Service *service) {
    double end = ead_clock_seconds() + number(service->arguments, EAD_OPTION_EXIT_TIMEOUT);
    ead_service_notify("STOPPING=1");
    atomic_store(&service->server.draining, true);
    ead_listen_end(&service->listening);
    ead_http_quiesce(service->http);
    int left = ead_http_requests(service->http);
    if (left > 0 && !service->quiet) ead_print(stderr, "finishing %d requests\n", left);
    while (ead_http_requests(service->http) > 0 && ead_clock_seconds() < end)
        if (ead_service_signals_wait(service->signals, 1, 0.02) > 1) break;
    ead_server_end(&service->server);
    /* What was answered last goes out. */
    for (int i = 0; i < 50 && ead_http_requests(service->http) > 0; i++)
        ead_service_signals_wait(service->signals, INT_MAX, 0.02);
    left = ead_http_requests(service->http);
    if (left > 0) ead_print(stderr, "requests that were cut off: %d (--exit-timeout)\n", left);
}

/* In the thread of signals: nothing that another may hold. */
static void cut_off(void *context, bool late) {
    Service *service = context;
    ead_listen_end(&service->listening);
    if (late) ead_service_tell_late();
}

EadStatus ead_command_serve(const EadArguments *arguments) {
    Service service = {.arguments = arguments, .quiet = ead_arguments_given(arguments, EAD_OPTION_QUIET)};
    EadServiceEnd end = {number(arguments, EAD_OPTION_EXIT_TIMEOUT), cut_off, &service};
    EAD_TRY(ead_service_signals_start(&end, &service.signals)); /* before all other threads */
    ead_arguments_use_threads(arguments, 0);
    EadStatus status = start(&service);
    if (status == EAD_OK) {
        serve(&service);
        drain(&service);
    }
    ead_workers_join(&service.reloader);
    ead_server_end(&service.server);
    ead_http_stop(service.http);
    ead_server_free(&service.server);
    ead_live_page_free(service.server.page);
    ead_listen_end(&service.listening);
    ead_model_registry_free(service.server.models);
    free(service.server.guard.token);
    free(service.certificate);
    free(service.key);
    ead_service_signals_end(service.signals);
    return status;
}
