/* Options, an address, a page, and their end. */
#include "train/service/http_service.h"

#include "core/base/printing.h"
#include "core/file/output_check.h"
#include "core/system/clock.h"
#include "train/serve/serve_documents.h"
#include "train/support/service.h"

#include <limits.h>
#include <stdlib.h>

enum { MEGABYTE = 1 << 20 };

static const char *name_of(EadOptionId id) {
    return ead_option(id)->rule.name;
}

static bool is_quiet(const EadHttpService *service) {
    return ead_arguments_given(service->arguments, EAD_OPTION_QUIET);
}

/* ---- before the work ---- */

static EadStatus check_tls(const EadHttpService *service) {
    EadStatus status = ead_http_check(service->certificate_text, service->key_text, service->authority_text);
    if (status == EAD_OK || !service->certificate_text) return status;
    return ead_fail_prefix(status, "%s, %s: ", name_of(service->certificate), name_of(service->key));
}

static void read_tls(EadHttpService *service, EadProblems *problems) {
    const char *const *given = service->arguments->values;
    const char *certificate = name_of(service->certificate), *key = name_of(service->key),
               *authority = name_of(service->authority);
    int known = problems->lines.count;
    if (!given[service->certificate] != !given[service->key])
        ead_problems_add(problems, ead_fail(EAD_BAD_ARGUMENT, "%s and %s go together", certificate, key));
    ead_problems_add(problems, ead_pem_read(certificate, given[service->certificate], EAD_PEM_CERTIFICATE,
                                            &service->certificate_text));
    ead_problems_add(problems, ead_pem_read(key, given[service->key], EAD_PEM_KEY, &service->key_text));
    if (given[service->authority] && !given[service->certificate])
        ead_problems_add(problems, ead_fail(EAD_BAD_ARGUMENT, "%s needs %s", authority, certificate));
    ead_problems_add(problems, ead_pem_read(authority, given[service->authority], EAD_PEM_CERTIFICATE,
                                            &service->authority_text));
    if (problems->lines.count == known) ead_problems_add(problems, check_tls(service));
    if (service->key_text) ead_secret_warn(key, given[service->key]);
}

static EadStatus read_token(EadHttpService *service) {
    const char *path = service->arguments->values[EAD_OPTION_TOKEN_FILE];
    EAD_TRY(ead_secret_read("--token-file", path, &service->server.guard.token));
    if (!path) return EAD_OK;
    ead_secret_warn("--token-file", path);
    if (!ead_arguments_given(service->arguments, EAD_OPTION_NO_TOKEN)) return EAD_OK;
    return ead_fail(EAD_BAD_ARGUMENT, "--token-file and --no-token contradict each other; give one of them");
}

static EadStatus check_address(const EadHttpService *service) {
    const EadArguments *arguments = service->arguments;
    EadListening found;
    bool guarded = ead_arguments_given(arguments, EAD_OPTION_TOKEN_FILE) ||
                   ead_arguments_given(arguments, service->authority);
    EAD_TRY(ead_listen_check(ead_arguments_text(arguments, service->listen), &found));
    if (found.loopback || guarded || ead_arguments_given(arguments, EAD_OPTION_NO_TOKEN)) return EAD_OK;
    return ead_fail(EAD_BAD_ARGUMENT,
                    "--listen: %s can be reached from other machines; give --token-file FILE or %s FILE, or "
                    "--no-token if everyone may ask",
                    found.address, name_of(service->authority));
}

static EadStatus check_decisions(const EadHttpService *service) {
    if (!ead_arguments_given(service->arguments, EAD_OPTION_DECISIONS))
        return EAD_OK; /* made when it is needed */
    EAD_TRY(ead_check_output_file(service->decisions, "--decisions"));
    return ead_decisions_check(service->decisions);
}

void ead_http_service_check(EadHttpService *service, EadProblems *problems) {
    ead_problems_add(problems, read_token(service));
    read_tls(service, problems);
    ead_problems_add(problems, check_address(service));
    ead_problems_add(problems, check_decisions(service));
}

/* ---- start ---- */

static EadStatus start_page(EadHttpService *service) {
    bool guarded = service->server.guard.token != NULL;
    int64_t megabytes = ead_arguments_value(service->arguments, EAD_OPTION_PAGE_MEMORY).i64;
    EadLivePageOptions options = {.memory = megabytes * MEGABYTE,
                                  .decisions = service->decisions,
                                  .may_decide =
                                      guarded || service->authority_text || service->listening.loopback,
                                  .guarded = guarded,
                                  .write_models = ead_serve_write_models,
                                  .context = service->server.models};
    return options.memory > 0 ? ead_live_page_new(&options, &service->server.page) : EAD_OK;
}

EadStatus ead_http_service_start(EadHttpService *service, EadHttpOptions http, int workers, int queue) {
    EAD_TRY(ead_listen(ead_arguments_text(service->arguments, service->listen), &service->listening));
    service->server.guard.loopback_host =
        service->listening.loopback && service->listening.by_address && !service->server.guard.token;
    EAD_TRY(start_page(service));
    EAD_TRY(ead_server_start(&service->server, workers, queue));
    http.socket = service->listening.socket;
    http.certificate = service->certificate_text;
    http.key = service->key_text;
    http.authority = service->authority_text;
    return ead_http_start(&service->server, &http, &service->http);
}

void ead_http_service_tell(const EadHttpService *service) {
    bool secure = service->certificate_text != NULL;
    const char *scheme = !service->listening.by_address ? "" : secure ? "https://" : "http://";
    if (!is_quiet(service)) ead_print(stderr, "listening at %s%s\n", scheme, service->listening.address);
}

/* ---- the end ---- */

void ead_http_service_drain(EadHttpService *service, EadServiceSignals *signals, double deadline) {
    EadHttpServer *http = service->http;
    if (!http) return;
    atomic_store(&service->server.draining, true);
    ead_listen_end(&service->listening);
    ead_http_quiesce(http);
    int left = ead_http_requests(http);
    if (left > 0 && !is_quiet(service)) ead_print(stderr, "finishing %d requests\n", left);
    while (ead_http_requests(http) > 0 && ead_clock_seconds() < deadline)
        if (ead_service_signals_wait(signals, 1, 0.02) > 1) break;
    ead_server_end(&service->server);
    /* What was answered last goes out. */
    for (int i = 0; i < 50 && ead_http_requests(http) > 0; i++)
        ead_service_signals_wait(signals, INT_MAX, 0.02);
    left = ead_http_requests(http);
    if (left > 0) ead_print(stderr, "requests that were cut off: %d (--exit-timeout)\n", left);
}

void ead_http_service_free(EadHttpService *service) {
    ead_server_end(&service->server);
    ead_http_stop(service->http);
    ead_server_free(&service->server);
    ead_live_page_free(service->server.page);
    ead_listen_end(&service->listening);
    free(service->server.guard.token);
    free(service->certificate_text);
    free(service->key_text);
    free(service->authority_text);
}
