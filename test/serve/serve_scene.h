/* A server with a tiny model and no socket: requests go in, replies come out. */
#pragma once

#include "core/system/clock.h"
#include "test/support/sample_models.h"
#include "train/serve/server.h"

#include <jansson.h>

#define COUNT(table) ((int)(sizeof(table) / sizeof *(table)))

/* Opens it with the model `path` as "tiny", a worker and a place in its queue. */
static inline void open_server(const char *path, int batch, EadServer *server) {
    EadServeDetectors detectors = {.count = 1, .threads = 1, .batch = batch};
    *server = (EadServer){.rules.max_pixels = 1000000};
    ASSERT_OK(ead_model_registry_new(&detectors, &server->models));
    EadProblems problems = {0};
    ASSERT_OK(ead_model_registry_add(server->models, "tiny", path));
    ead_model_registry_open(server->models, &problems);
    ASSERT_OK(ead_problems_since(&problems, 0));
    ASSERT_OK(ead_server_start(server, 1, 1));
}

static inline void close_server(EadServer *server) {
    ead_server_free(server);
    ead_model_registry_free(server->models);
}

static inline EadServeRequest request_of(const char *method, const char *path, const void *body,
                                         size_t size) {
    double now = ead_clock_seconds();
    return (EadServeRequest){
        .method = method, .path = path, .body = body, .size = size, .arrived = now, .deadline = now + 60};
}

static inline EadServeReply ask_with(EadServer *server, const EadServeRequest *request) {
    EadServeReply reply = {0};
    ead_server_answer(server, request, &reply);
    return reply;
}

static inline EadServeReply ask(EadServer *server, const char *method, const char *path, const char *body) {
    EadServeRequest request = request_of(method, path, body, body ? strlen(body) : 0);
    return ask_with(server, &request);
}

/* The JSON of a reply, which has this code; frees the reply. */
static inline json_t *json_of(EadServeReply *reply, int code) {
    size_t size = reply->json_size ? reply->json_size : reply->size;
    ck_assert_msg(reply->code == code, "%d: %.*s", reply->code, (int)size, reply->body);
    json_t *root = json_loadb(reply->body, size, 0, NULL);
    ck_assert_msg(root != NULL, "no JSON: %.*s", (int)size, reply->body);
    ead_reply_free(reply);
    return root;
}

/* The reply is an error with this code and a text that holds this part. */
static inline void assert_refused(EadServeReply *reply, int code, const char *part) {
    json_t *root = json_of(reply, code);
    const char *text = json_string_value(json_object_get(root, "error"));
    ck_assert_ptr_nonnull(text);
    assert_contains(text, part);
    json_decref(root);
}

/* The output of that name in the JSON of a reply. */
static inline json_t *output_of(const json_t *root, const char *name) {
    size_t i;
    json_t *output;
    json_array_foreach(json_object_get(root, "outputs"), i, output) {
        if (strcmp(json_string_value(json_object_get(output, "name")), name) == 0) return output;
    }
    ck_abort_msg("no output %s", name);
    return NULL;
}

static inline double number_of(const json_t *root, const char *output, size_t index) {
    return json_number_value(json_array_get(json_object_get(output_of(root, output), "data"), index));
}
