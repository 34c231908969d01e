/* efficientad watch: scores what arrives in a folder, or from a camera, until SIGTERM or Ctrl-C. Then it finishes what it has in hand, and ends with exit code 0;
 * SIGHUP opens a changed model file again. */
#include "train/cli/arguments.h"

#include "core/base/memory.h"
#include "core/base/minmax.h"
#include "core/base/paths.h"
#include "core/base/printing.h"
#include "core/file/output_check.h"
#include "core/system/machine.h"
#include "core/system/worker_threads.h"
#include "train/command/given_options.h"
#include "train/service/http_service.h"
#include "train/support/service.h"
#include "train/watch/watch.h"

#include <errno.h>
#include <math.h>
#include <omp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

enum { MEGABYTE = 1 << 20, MOST_THREADS = 64, HANDS = 4 };

static const double patience = 10; /* seconds that a broker or webhook may be silent */

/* All that runs. Paths are absolute. */
typedef struct Watcher {
    const EadArguments *arguments;
    EadWatchOptions options;
    EadPath folder, journal, move_to, table, decisions;
    EadHttpService http; /* that shows it; where `listens` */
    bool listens;
    EadModelRegistry *models;
    EadWatch *watch;
    char *token;
    bool quiet;
    EadServiceSignals *signals;
    EadWorkers reloader; /* a thread that opens a changed model, which may take its time */
} Watcher;

static int number(const EadArguments *arguments, EadOptionId id) {
    return (int)ead_arguments_value(arguments, id).i64;
}

/* ---- before the work ---- */

/* The first of these options that was given; EAD_OPTION_COUNT: none was. */
static EadOptionId given_of(const EadArguments *arguments, const EadOptionId *options, int count) {
    for (int i = 0; i < count; i++)
        if (ead_arguments_given(arguments, options[i])) return options[i];
    return EAD_OPTION_COUNT;
}

/* A folder or a camera, and what goes with it. */
static EadStatus check_source(const EadArguments *arguments) {
    static const EadOptionId of_folder[] = {EAD_OPTION_RECURSIVE, EAD_OPTION_POLL, EAD_OPTION_EXISTING},
                             of_camera[] = {EAD_OPTION_CAMERA_SET, EAD_OPTION_TRIGGER,
                                            EAD_OPTION_CAMERA_QUEUE, EAD_OPTION_KEEP};
    bool camera = ead_arguments_given(arguments, EAD_OPTION_CAMERA);
    EadOptionId other = camera ? given_of(arguments, of_folder, 3) : given_of(arguments, of_camera, 4);
    if (arguments->unknown_option || arguments->refused_paths > 0) return EAD_OK; /* is told already */
    if (camera == (arguments->path_count > 0))
        return ead_fail(EAD_BAD_ARGUMENT, camera ? "watch takes a folder or --camera, not both"
                                                 : "watch needs a folder, or --camera NAME");
    if (other != EAD_OPTION_COUNT)
        return ead_fail(EAD_BAD_ARGUMENT, "%s is for %s", ead_option(other)->rule.name,
                        camera ? "folders, not for --camera" : "--camera");
    if (camera && ead_arguments_given(arguments, EAD_OPTION_KEEP) &&
        !ead_arguments_given(arguments, EAD_OPTION_MOVE_TO))
        return ead_fail(EAD_BAD_ARGUMENT, "--keep says what --move-to DIR keeps; give that, too");
    if (camera && !*arguments->values[EAD_OPTION_CAMERA])
        return ead_fail(EAD_BAD_ARGUMENT, "--camera: the name is empty; any takes the first that is found");
    if (camera && !ead_arguments_given(arguments, EAD_OPTION_JOURNAL))
        return ead_fail(EAD_BAD_ARGUMENT,
                        "--camera needs --journal DIR, the folder where the lines are kept");
    return EAD_OK;
}

static EadStatus find_folder(Watcher *watcher) {
    const char *path = watcher->arguments->path_count > 0 ? watcher->arguments->paths[0] : NULL;
    if (!path) return EAD_OK; /* is told already, or there is a camera */
    if (!ead_path_real(watcher->folder, path))
        return ead_fail(EAD_IO, "%s: cannot watch: %s", path, strerror(errno));
    if (!ead_path_is_folder(watcher->folder)) return ead_fail(EAD_BAD_ARGUMENT, "%s: is not a folder", path);
    if (access(watcher->folder, R_OK | X_OK) == 0) return EAD_OK;
    return ead_fail(EAD_IO, "%s: cannot read this folder: %s", path, strerror(errno));
}

static EadStatus find_journal(Watcher *watcher) {
    const char *given = watcher->arguments->values[EAD_OPTION_JOURNAL];
    if (!given && !*watcher->folder) return EAD_OK;
    EAD_TRY(given ? ead_path_absolute(watcher->journal, given)
                  : ead_path_in(watcher->journal, watcher->folder, ".efficientad"));
    return ead_check_output_folder(watcher->journal, "--journal");
}

/* Whether images would arrive again where they were moved to. */
static bool is_watched(const Watcher *watcher, const char *folder) {
    return *watcher->folder && ead_arguments_given(watcher->arguments, EAD_OPTION_RECURSIVE) &&
           ead_output_lies_within(folder, watcher->folder);
}

static EadStatus find_move_to(Watcher *watcher) {
    const char *given = watcher->arguments->values[EAD_OPTION_MOVE_TO];
    if (!given) return EAD_OK;
    EAD_TRY(ead_path_absolute(watcher->move_to, given));
    EAD_TRY(ead_check_output_folder(watcher->move_to, "--move-to"));
    if (!is_watched(watcher, watcher->move_to)) return EAD_OK;
    return ead_fail(EAD_BAD_ARGUMENT,
                    "--move-to: %s lies in the watched folder, and with --recursive its images would arrive "
                    "again; name another place",
                    given);
}

/* Files that the libraries of the receivers read. */
static void check_files(const EadReceiverOptions *r, EadProblems *problems) {
    char *texts[4] = {NULL};
    if (r->login) ead_problems_add(problems, ead_secret_text("--mqtt-login", r->login, MEGABYTE, &texts[0]));
    ead_problems_add(problems, ead_pem_read("--tls-ca", r->authority, EAD_PEM_CERTIFICATE, &texts[1]));
    ead_problems_add(problems, ead_pem_read("--tls-cert", r->certificate, EAD_PEM_CERTIFICATE, &texts[2]));
    ead_problems_add(problems, ead_pem_read("--tls-key", r->key, EAD_PEM_KEY, &texts[3]));
    for (int i = 0; i < 4; i++) free(texts[i]);
}

/* What goes together. */
static EadStatus check_pairs(const EadReceiverOptions *r) {
    bool secure = (r->mqtt && strncmp(r->mqtt, "mqtts:", 6) == 0) ||
                  (r->webhook && strncmp(r->webhook, "https:", 6) == 0);
    if (!r->certificate != !r->key) return ead_fail(EAD_BAD_ARGUMENT, "--tls-cert and --tls-key go together");
    if ((r->authority || r->certificate) && !secure)
        return ead_fail(EAD_BAD_ARGUMENT,
                        "--tls-ca and --tls-cert are for addresses of mqtts:// and https://");
    if (r->login && !r->mqtt) return ead_fail(EAD_BAD_ARGUMENT, "--mqtt-login is for --mqtt");
    if (r->token && !r->webhook) return ead_fail(EAD_BAD_ARGUMENT, "--webhook-token is for --webhook");
    return EAD_OK;
}

static void check_receivers(Watcher *watcher, EadProblems *problems) {
    const char *const *given = watcher->arguments->values;
    EadReceiverOptions *r = &watcher->options.receivers;
    ead_problems_add(problems,
                     ead_secret_read("--webhook-token", given[EAD_OPTION_WEBHOOK_TOKEN], &watcher->token));
    if (given[EAD_OPTION_SQLITE])
        ead_problems_add(problems, ead_path_absolute(watcher->table, given[EAD_OPTION_SQLITE]));
    *r = (EadReceiverOptions){.mqtt = given[EAD_OPTION_MQTT],
                              .webhook = given[EAD_OPTION_WEBHOOK],
                              .login = given[EAD_OPTION_MQTT_LOGIN],
                              .token = watcher->token,
                              .authority = given[EAD_OPTION_TLS_CA],
                              .certificate = given[EAD_OPTION_CLIENT_CERT],
                              .key = given[EAD_OPTION_CLIENT_KEY],
                              .command = given[EAD_OPTION_ON_ANOMALY],
                              .table = *watcher->table ? watcher->table : NULL,
                              .patience = patience};
    check_files(r, problems);
    ead_problems_add(problems, check_pairs(r));
    ead_receivers_check(r, problems);
}

static EadStatus add_model(Watcher *watcher) {
    const char *given = watcher->arguments->values[EAD_OPTION_WATCH_MODEL];
    if (!given) return EAD_OK; /* is told already */
    EadProblems problems = {0};
    EadStatus status = ead_model_registry_add_named(watcher->models, given);
    if (status == EAD_OK) ead_model_registry_open(watcher->models, &problems);
    if (status == EAD_OK) status = ead_problems_since(&problems, 0);
    ead_problems_free(&problems);
    EAD_TRY(status);
    EadServedModel *model = ead_model_registry_take(watcher->models, NULL);
    bool judges = !isnan(model->model->threshold);
    ead_model_registry_release(watcher->models, model);
    if (judges || (!*watcher->move_to && !watcher->options.receivers.command)) return EAD_OK;
    return ead_fail(
        EAD_BAD_ARGUMENT,
        "%s: has no threshold, so nothing is anomalous; --move-to and --on-anomaly need --threshold", given);
}

static void set_options(Watcher *watcher, const EadServeDetectors *detectors) {
    const EadArguments *arguments = watcher->arguments;
    EadWatchOptions *o = &watcher->options;
    bool polls = ead_arguments_given(arguments, EAD_OPTION_POLL);
    o->arrivals =
        (EadArrivalOptions){.folder = watcher->folder,
                            .recursive = ead_arguments_given(arguments, EAD_OPTION_RECURSIVE),
                            .poll = polls ? ead_arguments_value(arguments, EAD_OPTION_POLL).f64 : 0};
    o->score_existing = number(arguments, EAD_OPTION_EXISTING) == 0;
    o->camera = (EadCameraSourceOptions){.camera = {.name = arguments->values[EAD_OPTION_CAMERA],
                                                    .settings = arguments->values[EAD_OPTION_CAMERA_SET],
                                                    .trigger = arguments->values[EAD_OPTION_TRIGGER]},
                                         .queue = number(arguments, EAD_OPTION_CAMERA_QUEUE),
                                         .anomalous_alone = number(arguments, EAD_OPTION_KEEP) == 1};
    o->journal =
        (EadJournalOptions){.folder = watcher->journal,
                            .file_bytes = (int64_t)number(arguments, EAD_OPTION_JOURNAL_SIZE) * MEGABYTE,
                            .files = number(arguments, EAD_OPTION_JOURNAL_FILES)};
    o->threads =
        ead_min(detectors->count * detectors->batch + ead_min(ead_machine_cpus(), HANDS), MOST_THREADS);
    o->max_pixels = ead_arguments_value(arguments, EAD_OPTION_MAX_PIXELS).i64;
    o->move_to = *watcher->move_to ? watcher->move_to : NULL;
    o->quiet = watcher->quiet;
}

/* What means nothing without it. */
static EadStatus check_unlooked(const EadArguments *arguments) {
    static const EadOptionId options[] = {
        EAD_OPTION_TOKEN_FILE,       EAD_OPTION_NO_TOKEN,    EAD_OPTION_LISTEN_CERT, EAD_OPTION_LISTEN_KEY,
        EAD_OPTION_LISTEN_CLIENT_CA, EAD_OPTION_PAGE_MEMORY, EAD_OPTION_DECISIONS};
    EadOptionId given = given_of(arguments, options, sizeof options / sizeof *options);
    if (given == EAD_OPTION_COUNT) return EAD_OK;
    return ead_fail(EAD_BAD_ARGUMENT, "%s is for the page; give --listen ADDRESS, too",
                    ead_option(given)->rule.name);
}

/* After the journal was found. */
static void check_page(Watcher *watcher, EadProblems *problems) {
    const char *given = watcher->arguments->values[EAD_OPTION_DECISIONS];
    watcher->http = (EadHttpService){.arguments = watcher->arguments,
                                     .listen = EAD_OPTION_WATCH_LISTEN,
                                     .certificate = EAD_OPTION_LISTEN_CERT,
                                     .key = EAD_OPTION_LISTEN_KEY,
                                     .authority = EAD_OPTION_LISTEN_CLIENT_CA,
                                     .decisions = given ? given : watcher->decisions,
                                     .server.only_looks = true};
    if (!given)
        ead_problems_add(problems, ead_path_in(watcher->decisions, watcher->journal, "decisions.jsonl"));
    ead_http_service_check(&watcher->http, problems);
}

/* --threshold and --pixel-threshold, of every model that is opened. */
static EadStatus adjust_model(void *context, EadModel *model) {
    return ead_model_options_apply(((const Watcher *)context)->arguments, model->map_choice, model);
}

static EadStatus check_all(Watcher *watcher) {
    const EadArguments *arguments = watcher->arguments;
    EadProblems problems = {0};
    int count = number(arguments, EAD_OPTION_WORKERS), all = omp_get_max_threads();
    EadServeDetectors detectors = {.count = count,
                                   .threads = ead_max(all / count, 1),
                                   .batch = number(arguments, EAD_OPTION_MAX_BATCH),
                                   .adjust = adjust_model,
                                   .context = watcher};
    ead_problems_add_all(&problems, &arguments->problems);
    ead_problems_add(&problems, ead_arguments_plan_options(arguments, &detectors.plan));
    ead_problems_add(&problems, check_source(arguments));
    ead_problems_add(&problems, find_folder(watcher));
    ead_problems_add(&problems, find_journal(watcher));
    ead_problems_add(&problems, find_move_to(watcher));
    if (watcher->listens)
        check_page(watcher, &problems);
    else
        ead_problems_add(&problems, check_unlooked(arguments));
    check_receivers(watcher, &problems);
    set_options(watcher, &detectors);
    EadStatus status = ead_model_registry_new(&detectors, &watcher->models);
    if (status == EAD_OK) ead_problems_add(&problems, add_model(watcher));
    watcher->http.server.models = watcher->models;
    if (status == EAD_OK) status = ead_problems_tell(&problems, stderr);
    ead_problems_free(&problems);
    return status;
}

/* ---- work ---- */

/* A page has small requests, and few who look. */
static EadStatus start_page(Watcher *watcher) {
    EadHttpOptions http = {
        .most_body = 1 << 16, .most_connections = 256, .most_of_address = 128, .timeout = 30, .idle = 30};
    EAD_TRY(ead_http_service_start(&watcher->http, http, 2, 64));
    ead_http_service_tell(&watcher->http);
    watcher->options.server = &watcher->http.server;
    return EAD_OK;
}

/* Where the kernel does not tell what other machines write. */
static void warn_of_share(const Watcher *watcher) {
    enum { NFS = 0x6969, SMB = 0x517B, CIFS = (int)0xFF534D42, SMB2 = (int)0xFE534D42, PLAN9 = 0x01021997 };
    struct statfs disk;
    if (watcher->options.arrivals.poll > 0 || statfs(watcher->folder, &disk) != 0) return;
    int type = (int)disk.f_type;
    if (type == NFS || type == SMB || type == CIFS || type == SMB2 || type == PLAN9)
        ead_print(
            stderr,
            "%s: is a network share; what other machines write there is found with --poll SECONDS alone\n",
            watcher->folder);
}

static void *reload(void *context) {
    Watcher *watcher = context;
    while (ead_service_signals_reload(watcher->signals))
        ead_model_registry_reload_told(watcher->models, watcher->quiet);
    return NULL;
}

static void watch_on(Watcher *watcher) {
    bool camera = watcher->options.camera.camera.name != NULL;
    if (!watcher->quiet)
        ead_print(stderr, "watching %s%s; journal in %s\n", camera ? "camera " : "",
                  ead_watch_source(watcher->watch), watcher->journal);
    if (!camera) warn_of_share(watcher);
    ead_service_notify("READY=1");
    while (ead_watch_runs(watcher->watch) && ead_service_signals_wait(watcher->signals, 0, 1) == 0)
        ;
    ead_service_notify("STOPPING=1");
    atomic_store(&watcher->http.server.draining, true);
    if (!ead_watch_runs(watcher->watch)) kill(getpid(), SIGTERM); /* all other threads shall know */
}

static void cut_off(void *context, bool late) {
    Watcher *watcher = context;
    ead_listen_end(&watcher->http.listening);
    if (late) ead_service_tell_late();
}

static EadStatus start(Watcher *watcher) {
    EAD_TRY(check_all(watcher));
    if (!watcher->quiet) ead_model_registry_tell(watcher->models, stderr);
    ead_service_signals_serve(watcher->signals);
    if (watcher->listens) EAD_TRY(start_page(watcher));
    EAD_TRY(ead_watch_start(&watcher->options, watcher->models, &watcher->watch));
    return ead_workers_start(&watcher->reloader, 1, reload, watcher);
}

EadStatus ead_command_watch(const EadArguments *arguments) {
    Watcher watcher = {.arguments = arguments,
                       .listens = ead_arguments_given(arguments, EAD_OPTION_WATCH_LISTEN),
                       .quiet = ead_arguments_given(arguments, EAD_OPTION_QUIET)};
    EadServiceEnd end = {number(arguments, EAD_OPTION_EXIT_TIMEOUT), cut_off, &watcher};
    signal(SIGIO, SIG_IGN); /* a writer that comes while a file is asked whether it has one */
    EAD_TRY(ead_service_signals_start(&end, &watcher.signals)); /* before there are threads */
    ead_arguments_use_threads(arguments, 0);
    EadFailure failure;
    EadStatus status = start(&watcher);
    if (status == EAD_OK) watch_on(&watcher);
    ead_failure_keep(&failure, status);
    status = ead_watch_end(watcher.watch, end.timeout);
    if (failure.status == EAD_OK) ead_failure_keep(&failure, status);
    ead_http_service_drain(&watcher.http, watcher.signals, 0);
    ead_workers_join(&watcher.reloader);
    ead_http_service_free(&watcher.http);
    ead_model_registry_free(watcher.models);
    free(watcher.token);
    ead_service_signals_end(watcher.signals);
    return ead_failure_tell(&failure);
}
