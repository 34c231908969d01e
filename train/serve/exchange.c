/* Bodies of replies. */
#include "train/serve/exchange.h"

#include "core/base/memory.h"
#include "train/support/json_writer.h"

#include <stdarg.h>
#include <stdlib.h>

void ead_reply_free(EadServeReply *reply) {
    free(reply->body);
    *reply = (EadServeReply){0};
}

static void lack_memory(EadServeReply *reply) {
    ead_reply_free(reply);
    *reply = (EadServeReply){.code = EAD_HTTP_UNAVAILABLE, .type = "text/plain", .retry_after = 1};
}

FILE *ead_reply_begin(EadServeReply *reply, int code, const char *type) {
    ead_reply_free(reply);
    *reply = (EadServeReply){.code = code, .type = type};
    FILE *stream = open_memstream(&reply->body, &reply->size);
    if (!stream) lack_memory(reply);
    return stream;
}

void ead_reply_end(EadServeReply *reply, FILE *stream) {
    if (ead_memory_stream_close(stream, &reply->body, "a reply") != EAD_OK) lack_memory(reply);
}

void ead_reply_text(EadServeReply *reply, int code, const char *type, const char *format, ...) {
    va_list values;
    FILE *stream = ead_reply_begin(reply, code, type);
    if (!stream) return;
    va_start(values, format);
    vfprintf(stream, format, values);
    va_end(values);
    ead_reply_end(reply, stream);
}

void ead_reply_error(EadServeReply *reply, int code, const char *format, ...) {
    char text[EAD_MESSAGE_SIZE];
    va_list values;
    va_start(values, format);
    vsnprintf(text, sizeof text, format, values);
    va_end(values);
    FILE *stream = ead_reply_begin(reply, code, "application/json");
    if (!stream) return;
    EadJson json = {.stream = stream, .compact = true};
    ead_json_open(&json, NULL, '{');
    ead_json_string(&json, "error", text);
    ead_json_close(&json, '}');
    ead_reply_end(reply, stream);
}

void ead_reply_failure(EadServeReply *reply, EadStatus status) {
    int code = EAD_HTTP_BAD_REQUEST;
    if (status == EAD_NO_MEMORY || status == EAD_BUSY) code = EAD_HTTP_UNAVAILABLE;
    if (status == EAD_BAD_SHAPE) code = EAD_HTTP_TOO_LARGE;
    if (status == EAD_INTERRUPTED) code = EAD_HTTP_LATE;
    if (status == EAD_IO || status == EAD_NOT_FINITE) code = EAD_HTTP_FAILED;
    ead_reply_error(reply, code, "%s", ead_error_message());
    if (code == EAD_HTTP_UNAVAILABLE) reply->retry_after = 1;
}
