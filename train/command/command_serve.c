/* efficientad serve: answers requests until SIGTERM or Ctrl-C. Then it takes no more, finishes what it has begun, and ends with exit code 0;
 * SIGHUP opens changed model files again. */
#include "train/cli/arguments.h"

#include "core/base/memory.h"
#include "core/base/minmax.h"
#include "core/system/clock.h"
#include "core/system/machine.h"
#include "core/system/worker_threads.h"
#include "train/service/http_service.h"
#include "train/support/service.h"

#include <omp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum { MEGABYTE = 1 << 20, SPARE_DESCRIPTORS = 64, MOST_WORKERS = 128 };

/* All that runs. */
typedef struct Service {
    const EadArguments *arguments;
    EadHttpService http;
    bool quiet;
    EadServiceSignals *signals;
    EadWorkers reloader; /* a thread that opens changed models, which may take its time */
} Service;

static int number(const EadArguments *arguments, EadOptionId id) {
    return (int)ead_arguments_value(arguments, id).i64;
}

/* ---- before the work ---- */

/* Every --model; what is wrong with one does not hide what is wrong with the next. */
static void add_models(const EadArguments *arguments, EadModelRegistry *models, EadProblems *problems) {
    const char *given = arguments->values[EAD_OPTION_SERVED];
    char *list = given ? ead_strdup(given) : NULL, *rest = NULL;
    if (given && !list) ead_problems_add(problems, EAD_NO_MEMORY);
    for (char *text = list ? strtok_r(list, ":", &rest) : NULL; text; text = strtok_r(NULL, ":", &rest))
        ead_problems_add(problems, ead_model_registry_add_named(models, text));
    free(list);
}

static EadStatus check_all(Service *service) {
    const EadArguments *arguments = service->arguments;
    EadProblems problems = {0};
    EadModelRegistry **models = &service->http.server.models;
    int count = number(arguments, EAD_OPTION_WORKERS), all = omp_get_max_threads();
    EadServeDetectors detectors = {
        .count = count, .threads = ead_max(all / count, 1), .batch = number(arguments, EAD_OPTION_MAX_BATCH)};
    ead_problems_add_all(&problems, &arguments->problems);
    ead_problems_add(&problems, ead_arguments_plan_options(arguments, &detectors.plan));
    ead_http_service_check(&service->http, &problems);
    EadStatus status = ead_model_registry_new(&detectors, models);
    if (status == EAD_OK) add_models(arguments, *models, &problems);
    if (status == EAD_OK && problems.status == EAD_OK) ead_model_registry_open(*models, &problems);
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
    int models = ead_model_registry_names(service->http.server.models)->count;
    int busy = models * number(service->arguments, EAD_OPTION_WORKERS) *
               number(service->arguments, EAD_OPTION_MAX_BATCH);
    return ead_min(busy + ead_machine_cpus(), MOST_WORKERS);
}

static void *reload(void *context) {
    Service *service = context;
    while (ead_service_signals_reload(service->signals))
        ead_model_registry_reload_told(service->http.server.models, service->quiet);
    return NULL;
}

static EadStatus start(Service *service) {
    const EadArguments *arguments = service->arguments;
    EadServer *server = &service->http.server;
    EAD_TRY(check_all(service));
    if (!service->quiet) ead_model_registry_tell(server->models, stderr);
    server->rules.max_pixels = ead_arguments_value(arguments, EAD_OPTION_SERVE_MAX_PIXELS).i64;
    int connections = most_connections(arguments);
    bool limited = ead_arguments_given(arguments, EAD_OPTION_CONNECTIONS_OF_ADDRESS);
    EadHttpOptions http = {.most_body = (size_t)number(arguments, EAD_OPTION_MAX_BODY) * MEGABYTE,
                           .body_option = "--max-body",
                           .most_connections = connections,
                           .most_of_address = limited ? number(arguments, EAD_OPTION_CONNECTIONS_OF_ADDRESS)
                                                      : ead_max(connections / 2, 1),
                           .timeout = ead_arguments_value(arguments, EAD_OPTION_REQUEST_TIMEOUT).f64,
                           .idle = (double)number(arguments, EAD_OPTION_IDLE_TIMEOUT)};
    EAD_TRY(ead_http_service_start(&service->http, http, choose_workers(service),
                                   number(arguments, EAD_OPTION_QUEUE)));
    return ead_workers_start(&service->reloader, 1, reload, service);
}

/* ---- service ---- */

static void serve(Service *service) {
    ead_service_signals_serve(service->signals);
    ead_http_service_tell(&service->http);
    ead_service_notify("READY=1");
    while (ead_service_signals_wait(service->signals, 0, 3600) == 0)
        ;
    ead_service_notify("STOPPING=1");
}

/* In the thread of signals: nothing that another may hold. */
static void cut_off(void *context, bool late) {
    Service *service = context;
    ead_listen_end(&service->http.listening);
    if (late) ead_service_tell_late();
}

EadStatus ead_command_serve(const EadArguments *arguments) {
    const char *decisions = ead_arguments_text(arguments, EAD_OPTION_DECISIONS);
    int timeout = number(arguments, EAD_OPTION_EXIT_TIMEOUT);
    Service service = {.arguments = arguments, .quiet = ead_arguments_given(arguments, EAD_OPTION_QUIET)};
    EadServiceEnd end = {timeout, cut_off, &service};
    service.http = (EadHttpService){.arguments = arguments,
                                    .listen = EAD_OPTION_LISTEN,
                                    .certificate = EAD_OPTION_TLS_CERT,
                                    .key = EAD_OPTION_TLS_KEY,
                                    .authority = EAD_OPTION_TLS_CLIENT_CA,
                                    .decisions = decisions ? decisions : "decisions.jsonl"};
    EAD_TRY(ead_service_signals_start(&end, &service.signals)); /* before all other threads */
    ead_arguments_use_threads(arguments, 0);
    EadStatus status = start(&service);
    if (status == EAD_OK) {
        serve(&service);
        ead_http_service_drain(&service.http, service.signals, ead_clock_seconds() + timeout);
    }
    ead_workers_join(&service.reloader);
    ead_http_service_free(&service.http);
    ead_model_registry_free(service.http.server.models);
    ead_service_signals_end(service.signals);
    return status;
}
