/* Routes, and what stands behind them. */
#include "train/serve/server.h"

#include "core/system/clock.h"
#include "train/evaluate/predict_lines.h"
#include "train/serve/inference.h"
#include "train/support/json_writer.h"
#include "train/support/version.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char type_of_json[] = "application/json";

/* ---- routes ---- */

/* Below /v2/models/NAME, with or without /versions/1. */
static EadServeRoute route_of_model(const char *rest) {
    static const char version[] = "/versions/1";
    size_t length = sizeof version - 1;
    if (strncmp(rest, version, length) == 0 && (rest[length] == '/' || rest[length] == '\0')) rest += length;
    if (*rest == '\0') return EAD_ROUTE_MODEL;
    if (strcmp(rest, "/ready") == 0) return EAD_ROUTE_MODEL_READY;
    return strcmp(rest, "/infer") == 0 ? EAD_ROUTE_INFER : EAD_ROUTE_NONE;
}

EadServeRoute ead_serve_route(const char *path, char model[EAD_SERVE_NAME]) {
    static const struct {
        const char *path;
        EadServeRoute route;
    } routes[] = {{"/v2", EAD_ROUTE_SERVER},
                  {"/v2/", EAD_ROUTE_SERVER},
                  {"/v2/health/live", EAD_ROUTE_LIVE},
                  {"/v2/health/ready", EAD_ROUTE_READY},
                  {"/predict", EAD_ROUTE_PREDICT}};
    static const char models[] = "/v2/models/";
    model[0] = '\0';
    for (size_t i = 0; i < sizeof routes / sizeof *routes; i++)
        if (strcmp(path, routes[i].path) == 0) return routes[i].route;
    if (strncmp(path, models, sizeof models - 1) != 0) return EAD_ROUTE_NONE;
    const char *name = path + sizeof models - 1;
    size_t length = strcspn(name, "/");
    if (length == 0 || length >= EAD_SERVE_NAME) return EAD_ROUTE_NONE;
    memcpy(model, name, length);
    model[length] = '\0';
    return route_of_model(name + length);
}

static bool is_work(EadServeRoute route) {
    return route == EAD_ROUTE_INFER || route == EAD_ROUTE_PREDICT;
}

/* ---- who may ask ---- */

/* "localhost", "127.0.0.1:8080", "[::1]:8080": a name that leads here and nowhere else. */
static bool is_loopback_host(const char *host) {
    static const char *const names[] = {"localhost", "127.0.0.1", "[::1]"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        size_t length = strlen(names[i]);
        if (strncmp(host, names[i], length) == 0 && (host[length] == ':' || host[length] == '\0'))
            return true;
    }
    return false;
}

/* Takes as long whatever the given text is. */
static bool same_secret(const char *secret, const char *given) {
    size_t length = strlen(secret), got = strlen(given), step = got > 0;
    unsigned differs = length != got;
    for (size_t i = 0, k = 0; i < length; i++, k = k + step < got ? k + step : 0)
        differs |= (unsigned char)secret[i] ^ (unsigned char)given[k];
    return differs == 0;
}

static bool knows_token(const EadServer *server, const char *authorization) {
    static const char scheme[] = "Bearer ";
    if (!authorization || strncmp(authorization, scheme, sizeof scheme - 1) != 0) return false;
    return same_secret(server->token, authorization + sizeof scheme - 1);
}

bool ead_server_admit(const EadServer *server, const EadServeRequest *request, EadServeReply *reply) {
    char model[EAD_SERVE_NAME];
    EadServeRoute route = ead_serve_route(request->path, model);
    bool health = route == EAD_ROUTE_LIVE || route == EAD_ROUTE_READY;
    if (server->loopback_host && request->host && !is_loopback_host(request->host)) {
        ead_reply_error(
            reply, EAD_HTTP_MISDIRECTED,
            "this server answers requests to localhost only, not to '%.100s'; with a token (--token-file) it "
            "answers to any name",
            request->host);
        return false;
    }
    if (health || !server->token || knows_token(server, request->authorization)) return true;
    ead_reply_error(reply, EAD_HTTP_UNAUTHORIZED, "needs the server's token: Authorization: Bearer TOKEN");
    reply->authenticate = true;
    return false;
}

/* ---- metadata ---- */

static void answer_server(EadServeReply *reply) {
    FILE *stream = ead_reply_begin(reply, EAD_HTTP_OK, type_of_json);
    if (!stream) return;
    EadJson json = {.stream = stream, .compact = true};
    ead_json_open(&json, NULL, '{');
    ead_json_string(&json, "name", "efficientad");
    ead_json_string(&json, "version", ead_version());
    ead_json_open(&json, "extensions", '[');
    ead_json_string(&json, NULL, "binary_tensor_data");
    ead_json_close(&json, ']');
    ead_json_close(&json, '}');
    ead_reply_end(reply, stream);
}

/* Sizes that are free are -1; `last` is that of the channels, 0: none. */
static void write_tensor(EadJson *json, const char *name, const char *type, int free_sizes, int last) {
    ead_json_open(json, NULL, '{');
    ead_json_string(json, "name", name);
    ead_json_string(json, "datatype", type);
    ead_json_open(json, "shape", '[');
    for (int i = 0; i < free_sizes; i++) ead_json_integer(json, NULL, -1);
    if (last) ead_json_integer(json, NULL, last);
    ead_json_close(json, ']');
    ead_json_close(json, '}');
}

static void answer_model(const EadServedModel *model, EadServeReply *reply) {
    FILE *stream = ead_reply_begin(reply, EAD_HTTP_OK, type_of_json);
    if (!stream) return;
    EadJson json = {.stream = stream, .compact = true};
    ead_json_open(&json, NULL, '{');
    ead_json_string(&json, "name", model->name);
    ead_json_open(&json, "versions", '[');
    ead_json_string(&json, NULL, "1");
    ead_json_close(&json, ']');
    ead_json_string(&json, "platform", "efficientad");
    ead_json_open(&json, "inputs", '[');
    write_tensor(&json, "image", "UINT8", 3, 3);
    ead_json_close(&json, ']');
    ead_json_open(&json, "outputs", '[');
    for (int i = 0; ead_infer_output(i); i++) {
        const EadInferOutputKind *output = ead_infer_output(i);
        if (i == EAD_INFER_ANOMALOUS && isnan(model->model->threshold)) continue;
        write_tensor(&json, output->name, output->type, output->dims, 0);
    }
    ead_json_close(&json, ']');
    ead_json_close(&json, '}');
    ead_reply_end(reply, stream);
}

/* ---- scoring ---- */

static void answer_infer(EadServer *server, const EadServedModel *model, const EadServeRequest *request,
                         EadServeReply *reply) {
    EadInference inference;
    EadStatus status = ead_inference_read(request, model, &server->rules, &inference);
    if (status == EAD_OK)
        status = ead_detector_pool_score(model->pool, inference.images, inference.count, inference.deadline);
    if (status == EAD_OK)
        ead_inference_reply(&inference, model, reply);
    else
        ead_reply_failure(reply, status);
    ead_inference_free(&inference);
}

/* The line that predict prints. */
static EadStatus reply_line(const EadServedModel *model, const EadServeRequest *request,
                            const EadPoolImage *image, const float *map, EadServeReply *reply) {
    EadMapRegions regions;
    EAD_TRY(ead_map_regions_find(&regions, map, image->width, image->height, model->model->pixel_threshold));
    FILE *stream = ead_reply_begin(reply, EAD_HTTP_OK, type_of_json);
    if (stream) {
        EadPrediction prediction = {.path = request->name ? request->name : "",
                                    .score = image->score,
                                    .threshold = (double)model->model->threshold,
                                    .regions = &regions};
        ead_prediction_print(stream, &prediction);
        ead_reply_end(reply, stream);
    }
    ead_map_regions_free(&regions);
    return EAD_OK;
}

static EadStatus reply_picture(const EadServedModel *model, const EadPoolImage *image, const float *map,
                               EadServeReply *reply) {
    uint8_t *png;
    size_t size;
    EAD_TRY(ead_infer_heatmap(model, image, map, &png, &size));
    *reply = (EadServeReply){.code = EAD_HTTP_OK, .type = "image/png", .body = (char *)png, .size = size};
    return EAD_OK;
}

static EadStatus predict(const EadServer *server, const EadServedModel *model, const EadServeRequest *request,
                         EadPoolImage *image, EadImage *decoded, float **map, EadServeReply *reply) {
    bool picture = request->map && strcmp(request->map, "png") == 0;
    if (request->map && !picture)
        return ead_fail(EAD_BAD_ARGUMENT, "map=%.40s; there is map=png", request->map);
    EAD_TRY(ead_image_decode_with(request->body, request->size, "the image", &server->rules, decoded));
    *image = (EadPoolImage){.pixels = decoded->pixels,
                            .width = decoded->width,
                            .height = decoded->height,
                            .channels = decoded->channels};
    image->map = malloc((size_t)model->model->width * (size_t)model->model->height * sizeof(float));
    if (!image->map) return ead_fail(EAD_NO_MEMORY, "no memory for a map");
    EAD_TRY(ead_detector_pool_score(model->pool, image, 1, request->deadline));
    EAD_TRY(ead_infer_map_of_image(model, image, map));
    if (picture) return reply_picture(model, image, *map, reply);
    return reply_line(model, request, image, *map, reply);
}

static void answer_predict(EadServer *server, const EadServedModel *model, const EadServeRequest *request,
                           EadServeReply *reply) {
    EadPoolImage image = {0};
    EadImage decoded = {0};
    float *map = NULL;
    EadStatus status = predict(server, model, request, &image, &decoded, &map, reply);
    if (status != EAD_OK) ead_reply_failure(reply, status);
    ead_image_free(&decoded);
    free(image.map);
    free(map);
}

/* ---- answers ---- */

static void answer_of_model(EadServer *server, EadServeRoute route, const char *name,
                            const EadServeRequest *request, EadServeReply *reply) {
    EadServedModel *model = ead_model_registry_take(server->models, name);
    if (!model) {
        ead_reply_error(reply, EAD_HTTP_NOT_FOUND, "there is no model '%.100s'", name);
        return;
    }
    if (is_work(route) && ead_clock_seconds() > request->deadline)
        ead_reply_error(reply, EAD_HTTP_LATE, "the deadline has passed while the request waited");
    else if (route == EAD_ROUTE_INFER)
        answer_infer(server, model, request, reply);
    else if (route == EAD_ROUTE_PREDICT)
        answer_predict(server, model, request, reply);
    else if (route == EAD_ROUTE_MODEL)
        answer_model(model, reply);
    else
        ead_reply_text(reply, EAD_HTTP_OK, "text/plain", "%s", "");
    ead_model_registry_release(server->models, model);
}

static bool has_right_method(EadServeRoute route, const EadServeRequest *request, EadServeReply *reply) {
    bool post = is_work(route), head = strcmp(request->method, "HEAD") == 0;
    if (strcmp(request->method, post ? "POST" : "GET") == 0 || (head && !post)) return true;
    ead_reply_error(reply, EAD_HTTP_BAD_METHOD, "%s answers %s only", request->path, post ? "POST" : "GET");
    reply->allow = post ? "POST" : "GET, HEAD";
    return false;
}

static void refuse_draining(EadServeReply *reply) {
    ead_reply_error(reply, EAD_HTTP_UNAVAILABLE, "the server is being stopped");
    reply->retry_after = 1;
}

void ead_server_answer(EadServer *server, const EadServeRequest *request, EadServeReply *reply) {
    char model[EAD_SERVE_NAME];
    EadServeRoute route = ead_serve_route(request->path, model);
    bool draining = atomic_load(&server->draining);
    if (route == EAD_ROUTE_NONE) {
        ead_reply_error(reply, EAD_HTTP_NOT_FOUND, "there is nothing at %.200s", request->path);
        return;
    }
    if (!has_right_method(route, request, reply)) return;
    if (draining && (route == EAD_ROUTE_READY || route == EAD_ROUTE_MODEL_READY))
        refuse_draining(reply);
    else if (route == EAD_ROUTE_LIVE || route == EAD_ROUTE_READY)
        ead_reply_text(reply, EAD_HTTP_OK, "text/plain", "%s", "");
    else if (route == EAD_ROUTE_SERVER)
        answer_server(reply);
    else
        answer_of_model(server, route, route == EAD_ROUTE_PREDICT ? request->model : model, request, reply);
}

static void answer_job(void *context, EadServeJob *job) {
    ead_server_answer(context, &job->request, &job->reply);
}

static void refuse_job(void *context, EadServeJob *job) {
    (void)context;
    refuse_draining(&job->reply);
}

void ead_server_submit(EadServer *server, EadServeJob *job) {
    char model[EAD_SERVE_NAME];
    EadServeRoute route = ead_serve_route(job->request.path, model);
    bool work = is_work(route) && strcmp(job->request.method, "POST") == 0;
    if (work && atomic_load(&server->draining)) {
        refuse_draining(&job->reply);
    } else if (work) {
        if (ead_job_queue_add(server->queue, job)) return;
        ead_reply_error(&job->reply, EAD_HTTP_UNAVAILABLE,
                        "as many requests as may wait do (--queue); try again");
        job->reply.retry_after = 1;
    } else {
        ead_server_answer(server, &job->request, &job->reply);
    }
    job->answered(job);
}

EadStatus ead_server_start(EadServer *server, int workers, int queue) {
    return ead_job_queue_new(workers, queue, answer_job, server, &server->queue);
}

void ead_server_end(EadServer *server) {
    if (!server->queue) return;
    ead_job_queue_close(server->queue, refuse_job);
    ead_job_queue_free(server->queue);
    server->queue = NULL;
}
