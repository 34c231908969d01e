/* The text of the page, and replies. */
#include "train/page/live_page.h"

#include "core/base/memory.h"
#include "core/base/paths.h"
#include "train/support/version.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MOST_DECISION = 4096 };

/* The lines of live.html, with style and scripts in their places. */
static const char *const lines[] = {
#include <live_page.inc> /* generated, see page.mk */
};
static const char guard_mark[] = "@guard@\n";

struct EadLivePage {
    EadLivePageOptions options;
    EadRecentImages *recent;
    char *text; /* [size] */
    size_t size;
    char policy[512];
    int64_t start; /* milliseconds since 1970 */
    pthread_mutex_t deciding;
};

/* ---- the page ---- */

static EadStatus join_lines(bool guarded, char **text, size_t *size) {
    FILE *stream = open_memstream(text, size);
    if (!stream) return ead_fail(EAD_NO_MEMORY, "no memory for the page");
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        if (strcmp(lines[i], guard_mark) != 0)
            fputs(lines[i], stream);
        else if (guarded)
            fputs("<meta name=\"guard\" content=\"token\">\n", stream);
    return ead_memory_stream_close(stream, text, "the page");
}

/* The hash of what stands between two tags, as a source of a policy. */
static void write_hash(FILE *stream, const char *text, const char *open, const char *close) {
    uint8_t digest[EAD_SHA256_BYTES];
    const char *begin = strstr(text, open) + strlen(open);
    ead_sha256(begin, (size_t)(strstr(begin, close) - begin), digest);
    fputs("'sha256-", stream);
    ead_write_base64(stream, digest, sizeof digest);
    fputc('\'', stream);
}

/* Nothing may run or be loaded but what stands in the page, and what it asks of its own server. */
static EadStatus write_policy(EadLivePage *page) {
    FILE *stream = fmemopen(page->policy, sizeof page->policy, "w");
    if (!stream) return ead_fail(EAD_NO_MEMORY, "no memory for the page");
    fputs("default-src 'none'; script-src ", stream);
    write_hash(stream, page->text, "<script>", "</script>");
    fputs("; style-src ", stream);
    write_hash(stream, page->text, "<style>", "</style>");
    fputs("; img-src blob: data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors "
          "'none'",
          stream);
    fclose(stream);
    return EAD_OK;
}

EadStatus ead_live_page_new(const EadLivePageOptions *options, EadLivePage **out) {
    struct timespec now;
    *out = NULL;
    EadLivePage *page = ead_new(1, sizeof *page, "the page");
    if (!page) return EAD_NO_MEMORY;
    clock_gettime(CLOCK_REALTIME, &now);
    *page = (EadLivePage){.options = *options,
                          .start = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000,
                          .deciding = PTHREAD_MUTEX_INITIALIZER};
    EadStatus status = ead_recent_images_new(options->memory, &page->recent);
    if (status == EAD_OK) status = join_lines(options->guarded, &page->text, &page->size);
    if (status == EAD_OK) status = write_policy(page);
    if (status == EAD_OK)
        *out = page;
    else
        ead_live_page_free(page);
    return status;
}

void ead_live_page_free(EadLivePage *page) {
    if (!page) return;
    ead_recent_images_free(page->recent);
    free(page->text);
    pthread_mutex_destroy(&page->deciding);
    free(page);
}

void ead_live_page_add(EadLivePage *page, const EadLiveImage *image) {
    if (page) ead_recent_images_add(page->recent, image);
}

void ead_live_page_fail(EadLivePage *page, const char *model, int64_t count) {
    if (page) ead_recent_images_fail(page->recent, model, count);
}

void ead_live_page_write_model(EadJson *json, const char *name, const char *sha256, const char *description,
                               const EadModel *model, float *scores, int count) {
    ead_json_open(json, NULL, '{');
    ead_json_string(json, "name", name);
    ead_json_string(json, "sha256", sha256);
    ead_json_string(json, "description", description);
    ead_json_float(json, "threshold", model->threshold);
    ead_json_float(json, "pixel_threshold", model->pixel_threshold);
    ead_set_json(json, "validation", scores, count, 1);
    ead_json_close(json, '}');
}

/* ---- replies ---- */

static const char no_policy[] = "default-src 'none'; frame-ancestors 'none'";

void ead_live_page_tell(const EadLivePage *page, EadServeReply *reply) {
    ead_reply_text(reply, EAD_HTTP_OK, "text/html; charset=utf-8", "%s", page->text);
    reply->policy = page->policy;
}

/* An object of JSON; its stream is NULL without memory, of which the reply tells. */
static EadJson begin(const EadLivePage *page, EadServeReply *reply) {
    EadJson json = {.stream = ead_reply_begin(reply, EAD_HTTP_OK, "application/json"), .compact = true};
    reply->policy = no_policy;
    if (!json.stream) return json;
    ead_json_open(&json, NULL, '{');
    ead_json_integer(&json, "start", page->start);
    return json;
}

static void end(EadJson *json, EadServeReply *reply) {
    ead_json_close(json, '}');
    ead_reply_end(reply, json->stream);
}

void ead_live_page_tell_about(const EadLivePage *page, EadServeReply *reply) {
    EadJson json = begin(page, reply);
    if (!json.stream) return;
    ead_json_string(&json, "version", ead_version());
    ead_json_flag(&json, "may_decide", page->options.may_decide);
    ead_json_string(&json, "decisions", ead_path_base(page->options.decisions));
    ead_json_integer(&json, "kept", EAD_RECENT_IMAGES);
    ead_json_open(&json, "models", '[');
    page->options.write_models(page->options.context, &json);
    ead_json_close(&json, ']');
    end(&json, reply);
}

/* A whole number from 0 on. */
static bool read_number(const char *text, int64_t *out) {
    size_t digits = strspn(text, "0123456789");
    if (digits < 1 || digits > 18 || text[digits]) return false;
    *out = strtoll(text, NULL, 10);
    return true;
}

void ead_live_page_tell_news(EadLivePage *page, const char *after, EadServeReply *reply) {
    int64_t stamp = 0;
    if (after && !read_number(after, &stamp)) {
        ead_reply_error(reply, EAD_HTTP_BAD_REQUEST, "after=%.40s is no number", after);
        return;
    }
    EadJson json = begin(page, reply);
    if (!json.stream) return;
    ead_recent_images_write(page->recent, &json, stamp);
    end(&json, reply);
}

void ead_live_page_tell_picture(EadLivePage *page, const char *number, bool heat, EadServeReply *reply) {
    EadLivePicture picture = {0};
    int64_t sequence;
    uint8_t *jpeg = NULL;
    size_t size = 0;
    EadStatus status = EAD_OK;
    if (read_number(number, &sequence)) status = ead_recent_images_picture(page->recent, sequence, &picture);
    bool found = picture.jpeg != NULL;
    if (status == EAD_OK && found && heat) status = ead_live_picture_heat(&picture, &jpeg, &size);
    if (status == EAD_OK && found && !heat) {
        jpeg = picture.jpeg, size = picture.size;
        picture.jpeg = NULL;
    }
    ead_live_picture_free(&picture);
    if (status != EAD_OK)
        ead_reply_failure(reply, status);
    else if (!found)
        ead_reply_error(reply, EAD_HTTP_NOT_FOUND,
                        "there is no picture of an image with the number %.40s (any more)", number);
    else
        *reply = (EadServeReply){.code = EAD_HTTP_OK,
                                 .type = "image/jpeg",
                                 .body = (char *)jpeg,
                                 .size = size,
                                 .policy = no_policy};
}

/* ---- decisions ---- */

static EadStatus decide(EadLivePage *page, int64_t sequence, EadDecision decision, bool *found) {
    EadDecisionRecord record;
    struct timespec end;
    *found = ead_recent_images_find(page->recent, sequence, &record);
    if (!*found) return EAD_OK;
    record.decision = decision;
    clock_gettime(CLOCK_REALTIME, &end);
    end.tv_sec += EAD_DECISION_PATIENCE;
    if (pthread_mutex_timedlock(&page->deciding, &end) != 0)
        return ead_fail(EAD_BUSY, "other decisions wait for their file; try again");
    EadStatus status = ead_decisions_append(page->options.decisions, &record);
    if (status == EAD_OK) ead_recent_images_decide(page->recent, sequence, decision);
    pthread_mutex_unlock(&page->deciding);
    return status;
}

void ead_live_page_decide(EadLivePage *page, const EadServeRequest *request, EadServeReply *reply) {
    int64_t sequence;
    EadDecision decision;
    bool found;
    if (!page->options.may_decide) {
        ead_reply_error(
            reply, EAD_HTTP_FORBIDDEN,
            "decisions need a token where others reach the server, and this one has none (--token-file)");
        return;
    }
    if (request->size > MOST_DECISION) {
        ead_reply_error(reply, EAD_HTTP_TOO_LARGE, "a decision has at most %d bytes", (int)MOST_DECISION);
        return;
    }
    EadStatus status = ead_decision_read((const char *)request->body, request->size, &sequence, &decision);
    if (status != EAD_OK) {
        ead_reply_failure(reply, status);
        return;
    }
    status = decide(page, sequence, decision, &found);
    if (status == EAD_BAD_ARGUMENT) status = EAD_IO; /* the file's fault, not the request's */
    if (status != EAD_OK)
        ead_reply_failure(reply, status);
    else if (!found)
        ead_reply_error(reply, EAD_HTTP_NOT_FOUND, "the image with the number %lld is not kept any more",
                        (long long)sequence);
    else
        ead_reply_text(reply, EAD_HTTP_OK, "application/json", "{\"sequence\":%lld,\"decision\":\"%s\"}",
                       (long long)sequence, ead_decision_name(decision));
}
