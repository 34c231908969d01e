/* libFuzzer target: a request to the server: a line with the path, a line with Inference-Header-Content-Length ("-": none), a
 * line with Host, and the body, which is taken apart and decoded as one of the Open Inference Protocol and as a decision of the
 * live page, whatever the path. */
#include "train/page/decisions.h"
#include "train/serve/inference.h"
#include "train/serve/routes.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_PIXELS = 100000, MODEL_SIDE = 4 };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void require(int condition) {
    if (!condition) abort();
}

/* A copy of the next line, moving behind it; NULL: there is none. */
static char *take_line(const uint8_t **bytes, size_t *size) {
    const uint8_t *end = *size ? memchr(*bytes, '\n', *size) : NULL;
    if (!end) return NULL;
    char *line = strndup((const char *)*bytes, (size_t)(end - *bytes));
    *size -= (size_t)(end + 1 - *bytes);
    *bytes = end + 1;
    return line;
}

/* Everything of what was read is there and within the limits. */
static void look_at(const EadInference *inference) {
    int64_t pixels = 0;
    unsigned sum = 0;
    require(inference->count >= 1 && inference->wanted_count >= 1);
    for (int i = 0; i < inference->count; i++) {
        const EadPoolImage *image = &inference->images[i];
        int64_t count = (int64_t)image->width * image->height;
        pixels += count;
        require(image->width >= 1 && image->height >= 1 && (image->channels == 1 || image->channels == 3));
        for (int64_t k = 0; k < count * image->channels; k++) sum += image->pixels[k];
        if (image->map) image->map[MODEL_SIDE * MODEL_SIDE - 1] = (float)sum;
    }
    require(pixels <= MOST_PIXELS);
}

static void read_decision(const uint8_t *bytes, size_t size) {
    int64_t sequence;
    EadDecision decision = EAD_DECISIONS;
    EadStatus status = ead_decision_read((const char *)bytes, size, &sequence, &decision);
    require(status == EAD_OK ? ead_decision_name(decision)[0] != '\0' : ead_error_message()[0] != '\0');
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    EadModel model = {.height = MODEL_SIDE, .width = MODEL_SIDE, .threshold = size % 2 ? NAN : 1};
    EadServedModel served = {.name = "fuzz", .model = &model};
    EadImageRules rules = {.max_pixels = MOST_PIXELS};
    EadServeGuard guard = {.token = "secret", .loopback_host = true};
    EadInference inference;
    EadServeReply reply = {0};
    char name[EAD_SERVE_NAME];
    char *path = take_line(&bytes, &size), *length = take_line(&bytes, &size),
         *host = take_line(&bytes, &size);
    if (path && length && host) {
        EadServeRequest request = {.method = "POST",
                                   .path = path,
                                   .host = host,
                                   .origin = size % 3 ? NULL : host,
                                   .authorization = host,
                                   .body = bytes,
                                   .size = size};
        request.json_size = strcmp(length, "-") == 0 ? NULL : length;
        EadServeRoute route = ead_serve_route(path, name);
        require(strlen(name) < EAD_SERVE_NAME && (name[0] == '\0' || strstr(path, name) != NULL));
        if (!ead_serve_admit(&guard, &request, &reply) || !ead_serve_route_takes(route, &request, &reply))
            require(reply.code >= EAD_HTTP_BAD_REQUEST && reply.size > 0);
        EadStatus status = ead_inference_read(&request, &served, &rules, &inference);
        if (status == EAD_OK)
            look_at(&inference);
        else
            require(ead_error_message()[0] != '\0');
        ead_inference_free(&inference);
        read_decision(bytes, size);
    }
    ead_reply_free(&reply);
    free(path);
    free(length);
    free(host);
    return 0;
}
