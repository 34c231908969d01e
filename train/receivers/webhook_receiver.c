/* POST of each line to an address, by libcurl. */
#include "train/receivers/receivers.h"

#include "core/base/memory.h"
#include "core/base/printing.h"
#include "train/support/version.h"
#include "train/receivers/destination.h"

#include <curl/curl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_HEADER = 8192 };

static const char option[] = "--webhook";

typedef struct Hook {
    const EadReceiverOptions *options;
    CURL *curl;
    struct curl_slist *headers;
    char reason[CURL_ERROR_SIZE];
} Hook;

/* What the other side says besides its code is of no interest. */
static size_t pass_over(char *bytes, size_t size, size_t count, void *context) {
    (void)bytes, (void)context;
    return size * count;
}

static bool add_header(Hook *hook, const char *text) {
    struct curl_slist *longer = curl_slist_append(hook->headers, text);
    if (longer) hook->headers = longer;
    return longer != NULL;
}

static bool set_options(Hook *hook) {
    const EadReceiverOptions *o = hook->options;
    long milliseconds = (long)(1e3 * o->patience);
    CURLcode code = CURLE_OK;
    /* clang-format off */
#define SET(name, value) if (code == CURLE_OK) code = curl_easy_setopt(hook->curl, CURLOPT_##name, value)
    /* clang-format on */
    SET(URL, o->webhook);
    SET(NOSIGNAL, 1L);
    SET(POST, 1L);
    SET(HTTPHEADER, hook->headers);
    SET(USERAGENT, "efficientad");
    SET(WRITEFUNCTION, pass_over);
    SET(ERRORBUFFER, hook->reason);
    SET(CONNECTTIMEOUT_MS, milliseconds);
    SET(TIMEOUT_MS, milliseconds);
    if (o->authority) SET(CAINFO, o->authority);
    if (o->certificate) SET(SSLCERT, o->certificate);
    if (o->key) SET(SSLKEY, o->key);
#undef SET
    return code == CURLE_OK;
}

/* Codes that say that this very line will never be taken: it must not keep the others from being told. */
static bool is_refusal(long code) {
    return code == 400 || code == 413 || code == 415 || code == 422;
}

static EadStatus post(Hook *hook, const EadJournalLine *line) {
    long answer = 0;
    hook->reason[0] = '\0';
    curl_easy_setopt(hook->curl, CURLOPT_POSTFIELDSIZE, (long)line->size);
    curl_easy_setopt(hook->curl, CURLOPT_POSTFIELDS, line->text);
    CURLcode code = curl_easy_perform(hook->curl);
    if (code != CURLE_OK)
        return ead_fail(EAD_IO, "%s: %s", hook->options->webhook,
                        hook->reason[0] ? hook->reason : curl_easy_strerror(code));
    curl_easy_getinfo(hook->curl, CURLINFO_RESPONSE_CODE, &answer);
    if (answer >= 200 && answer < 300) return EAD_OK;
    if (!is_refusal(answer)) return ead_fail(EAD_IO, "%s: answers %ld", hook->options->webhook, answer);
    ead_print(stderr, "efficientad: webhook: %s refuses line %" PRIu64 " (%ld); it is not sent again\n",
              hook->options->webhook, line->sequence, answer);
    return EAD_OK;
}

static EadStatus tell_hook(void *state, const EadJournalLine *lines, int count, int *told) {
    for (int i = 0; i < count; i++) {
        EAD_TRY(post(state, &lines[i]));
        *told = i + 1;
    }
    return EAD_OK;
}

static void close_hook(void *state) {
    Hook *hook = state;
    curl_slist_free_all(hook->headers);
    if (hook->curl) curl_easy_cleanup(hook->curl);
    curl_global_cleanup();
    free(hook);
}

static bool open_hook(Hook *hook) {
    char token[MOST_HEADER];
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) return false;
    hook->curl = curl_easy_init();
    if (!hook->curl || !add_header(hook, "Content-Type: application/json") || !add_header(hook, "Expect:"))
        return false;
    if (hook->options->token) {
        snprintf(token, sizeof token, "Authorization: Bearer %s", hook->options->token);
        if (!add_header(hook, token)) return false;
    }
    return set_options(hook);
}

EadStatus ead_receiver_webhook(const EadReceiverOptions *options, EadReceiver *out) {
    static const int ports[] = {80, 443};
    EadDestination place;
    EAD_TRY(ead_destination_read(option, options->webhook, "http", ports, &place));
    if (options->token && !place.secure && !ead_destination_is_local(&place))
        return ead_fail(EAD_BAD_ARGUMENT,
                        "--webhook-token: its secret could be read on the way to %s; use https://",
                        place.host);
    Hook *hook = ead_new(1, sizeof *hook, "a webhook");
    if (!hook) return EAD_NO_MEMORY;
    hook->options = options;
    if (!open_hook(hook)) {
        close_hook(hook);
        return ead_fail(EAD_UNSUPPORTED, "%s: libcurl cannot be set up for %s", option, options->webhook);
    }
    *out = (EadReceiver){.name = "webhook", .state = hook, .tell = tell_hook, .close = close_hook};
    return EAD_OK;
}
