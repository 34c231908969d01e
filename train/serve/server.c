/* What stands behind the routes. */
#include "train/serve/server.h"

#include "core/base/memory.h"
#include "core/system/clock.h"
#include "train/evaluate/predict_lines.h"
#include "train/evaluate/scoring.h"
#include "train/serve/inference.h"
#include "train/serve/serve_documents.h"
#include "train/support/json_writer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char type_of_json[] = "application/json";

enum { PICTURED = 16 }; /* of the images of a request, how many the page may show */

/* ---- scoring ---- */

/* A request that scores images, on its way. */
typedef struct Work {
    EadServer *server;
    const EadServedModel *model;
    const EadServeRequest *request;
    EadServeReply *reply;
    EadServeCourse course;
    double stage; /* when the present stage began */
} Work;

static void end_stage(Work *work, EadServeStage stage) {
    double now = ead_clock_seconds();
    work->course.seconds[stage] = now - work->stage;
    work->stage = now;
}

static EadStatus score(Work *work, EadPoolImage *images, int count, double deadline) {
    end_stage(work, EAD_STAGE_DECODE);
    EAD_TRY(ead_detector_pool_score(work->model->pool, images, count, deadline));
    end_stage(work, EAD_STAGE_DETECTOR);
    work->course.images = images;
    work->course.count = count;
    return EAD_OK;
}

/* Counts a request; its images are still there. */
static void count(Work *work) {
    end_stage(work, EAD_STAGE_REPLY);
    if (work->reply->code == EAD_HTTP_OK)
        ead_serve_metrics_scored(work->server->metrics, &work->course);
    else
        ead_serve_metrics_failed(work->server->metrics, work->model->name);
}

/* Puts what was scored on the page, for people to whom it is `source`; its images are still there. */
static void show(const Work *work, const char *source) {
    const EadServeCourse *course = &work->course;
    double seconds = ead_clock_seconds() - work->request->arrived;
    if (work->reply->code != EAD_HTTP_OK) ead_live_page_fail(work->server->page, work->model->name, 1);
    for (int i = 0; work->reply->code == EAD_HTTP_OK && i < course->count; i++) {
        const EadPoolImage *image = &course->images[i];
        char numbered[EAD_RECENT_NAME];
        snprintf(numbered, sizeof numbered, "%.200s #%d", source ? source : "", i + 1);
        ead_live_page_add(work->server->page,
                          &(EadLiveImage){.source = course->count > 1 ? numbered : source,
                                          .name = work->model->name,
                                          .sha256 = work->model->sha256,
                                          .model = work->model->model,
                                          .pixels = image->pixels,
                                          .width = image->width,
                                          .height = image->height,
                                          .channels = image->channels,
                                          .map = image->map,
                                          .score = image->score,
                                          .seconds = seconds,
                                          .network = course->seconds[EAD_STAGE_DETECTOR]});
    }
}

static EadImageRules rules_of(const Work *work) {
    return ead_model_image_rules(work->model->model, work->server->rules.max_pixels);
}

static void answer_infer(Work *work) {
    EadInference inference;
    EadImageRules rules = rules_of(work);
    EadStatus status = ead_inference_read(work->request, work->model, &rules, &inference);
    if (status == EAD_OK && work->server->page)
        status = ead_inference_allot_maps(&inference, work->model, PICTURED);
    if (status == EAD_OK) status = score(work, inference.images, inference.count, inference.deadline);
    if (status == EAD_OK)
        ead_inference_reply(&inference, work->model, work->reply);
    else
        ead_reply_failure(work->reply, status);
    count(work);
    show(work, inference.id);
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
                                    .threshold = model->model->threshold,
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

/* What is made of an image that was sent plainly. */
typedef struct Plain {
    EadImage decoded;
    EadPoolImage image;
    float *map; /* at the image's size */
} Plain;

static EadStatus predict(Work *work, Plain *plain) {
    const EadServeRequest *request = work->request;
    const EadServedModel *model = work->model;
    EadPoolImage *image = &plain->image;
    bool picture = request->map && strcmp(request->map, "png") == 0;
    if (request->map && !picture)
        return ead_fail(EAD_BAD_ARGUMENT, "map=%.40s; there is map=png", request->map);
    EadImageRules rules = rules_of(work);
    EAD_TRY(ead_image_decode_with(request->body, request->size, "the image", &rules, &plain->decoded));
    *image = (EadPoolImage){.pixels = plain->decoded.pixels,
                            .width = plain->decoded.width,
                            .height = plain->decoded.height,
                            .channels = plain->decoded.channels};
    image->map = ead_new(ead_pool_map_cells(model->model, image), sizeof(float), "a map");
    if (!image->map) return EAD_NO_MEMORY;
    EAD_TRY(score(work, image, 1, request->deadline));
    EAD_TRY(ead_infer_map_of_image(model, image, &plain->map));
    if (picture) return reply_picture(model, image, plain->map, work->reply);
    return reply_line(model, request, image, plain->map, work->reply);
}

static void answer_predict(Work *work) {
    Plain plain = {.map = NULL};
    EadStatus status = predict(work, &plain);
    if (status != EAD_OK) ead_reply_failure(work->reply, status);
    count(work);
    show(work, work->request->name);
    ead_image_free(&plain.decoded);
    free(plain.image.map);
    free(plain.map);
}

static void answer_work(EadServer *server, EadServeRoute route, const EadServedModel *model,
                        const EadServeRequest *request, EadServeReply *reply) {
    Work work = {server,
                 model,
                 request,
                 reply,
                 {.model = model->name, .threshold = model->model->threshold},
                 request->received > 0 ? request->received : request->arrived};
    end_stage(&work, EAD_STAGE_QUEUE);
    if (work.stage > request->deadline) {
        ead_reply_error(reply, EAD_HTTP_LATE, "the deadline has passed while the request waited");
        count(&work);
        show(&work, NULL);
    } else if (route == EAD_ROUTE_INFER) {
        answer_infer(&work);
    } else {
        answer_predict(&work);
    }
}

/* ---- answers ---- */

static void refuse_draining(EadServeReply *reply) {
    ead_reply_error(reply, EAD_HTTP_UNAVAILABLE, "the server is being stopped");
    reply->retry_after = 1;
}

static bool scores(EadServeRoute route) {
    return route == EAD_ROUTE_INFER || route == EAD_ROUTE_PREDICT;
}

static void answer_of_model(EadServer *server, EadServeRoute route, const char *name,
                            const EadServeRequest *request, EadServeReply *reply) {
    EadServedModel *model = ead_model_registry_take(server->models, name);
    if (!model) {
        ead_reply_error(reply, EAD_HTTP_NOT_FOUND, "there is no model '%.100s'", name);
        return;
    }
    if (scores(route))
        answer_work(server, route, model, request, reply);
    else if (route == EAD_ROUTE_MODEL)
        ead_serve_tell_model(model, reply);
    else if (route == EAD_ROUTE_CONFIG)
        ead_serve_tell_config(model, reply);
    else if (route == EAD_ROUTE_STATS)
        ead_serve_tell_stats(model, server->metrics, reply);
    else if (atomic_load(&server->draining))
        refuse_draining(reply);
    else
        ead_reply_text(reply, EAD_HTTP_OK, "text/plain", "%s", "");
    ead_model_registry_release(server->models, model);
}

/* How many models are new, and what could not be opened as one error. */
static void write_reloaded(FILE *stream, int changed, const EadStringList *failures) {
    EadJson json = {.stream = stream, .compact = true};
    char *text = NULL;
    size_t size;
    FILE *joined = failures->count > 0 ? open_memstream(&text, &size) : NULL;
    for (int i = 0; joined && i < failures->count; i++) fprintf(joined, "%s; ", failures->items[i]);
    if (joined) fputs("the model before it stays", joined);
    if (joined && ead_memory_stream_close(joined, &text, "a reply") != EAD_OK) text = NULL;
    ead_json_open(&json, NULL, '{');
    ead_json_integer(&json, "changed", changed);
    if (failures->count > 0) ead_json_string(&json, "error", text ? text : ead_error_message());
    ead_json_close(&json, '}');
    free(text);
}

/* Only whoever knows the token may change what is served. */
static void answer_reload(EadServer *server, EadServeReply *reply) {
    EadProblems problems = {0};
    if (!server->guard.token) {
        ead_reply_error(reply, EAD_HTTP_FORBIDDEN,
                        "needs a token, and this server has none (--token-file); send SIGHUP");
        return;
    }
    int changed = ead_model_registry_reload(server->models, &problems);
    int code = problems.status == EAD_OK ? EAD_HTTP_OK : EAD_HTTP_FAILED;
    FILE *stream = ead_reply_begin(reply, code, type_of_json);
    if (stream) {
        write_reloaded(stream, changed, &problems.lines);
        ead_reply_end(reply, stream);
    }
    ead_problems_free(&problems);
}

static void answer_of_page(EadLivePage *page, EadServeRoute route, const char *number,
                           const EadServeRequest *request, EadServeReply *reply) {
    if (route == EAD_ROUTE_PAGE)
        ead_live_page_tell(page, reply);
    else if (route == EAD_ROUTE_PAGE_ABOUT)
        ead_live_page_tell_about(page, reply);
    else if (route == EAD_ROUTE_PAGE_NEWS)
        ead_live_page_tell_news(page, request->after, reply);
    else if (route == EAD_ROUTE_PAGE_DECISION)
        ead_live_page_decide(page, request, reply);
    else
        ead_live_page_tell_picture(page, number, route == EAD_ROUTE_PAGE_HEAT, reply);
}

static bool is_offered(const EadServer *server, EadServeRoute route) {
    if (ead_serve_route_is_of_page(route)) return server->page != NULL;
    bool looks = route == EAD_ROUTE_LIVE || route == EAD_ROUTE_READY || route == EAD_ROUTE_METRICS;
    return route != EAD_ROUTE_NONE && (looks || !server->only_looks);
}

void ead_server_answer(EadServer *server, const EadServeRequest *request, EadServeReply *reply) {
    char name[EAD_SERVE_NAME];
    EadServeRoute route = ead_serve_route(request->path, name);
    bool draining = atomic_load(&server->draining);
    if (!is_offered(server, route))
        ead_reply_error(reply, EAD_HTTP_NOT_FOUND, "there is nothing at %.200s", request->path);
    else if (!ead_serve_route_takes(route, request, reply))
        return;
    else if (draining && route == EAD_ROUTE_READY)
        refuse_draining(reply);
    else if (route == EAD_ROUTE_READY && atomic_load(&server->hindered))
        ead_reply_error(reply, EAD_HTTP_UNAVAILABLE, "the journal cannot be written; images wait");
    else if (route == EAD_ROUTE_LIVE || route == EAD_ROUTE_READY)
        ead_reply_text(reply, EAD_HTTP_OK, "text/plain", "%s", "");
    else if (route == EAD_ROUTE_SERVER)
        ead_serve_tell_server(reply);
    else if (route == EAD_ROUTE_INDEX)
        ead_serve_tell_index(server->models, reply);
    else if (route == EAD_ROUTE_METRICS)
        ead_serve_tell_metrics(server->models, server->metrics, ead_job_queue_length(server->queue),
                               !draining, reply);
    else if (route == EAD_ROUTE_RELOAD)
        answer_reload(server, reply);
    else if (ead_serve_route_is_of_page(route))
        answer_of_page(server->page, route, name, request, reply);
    else
        answer_of_model(server, route, route == EAD_ROUTE_PREDICT ? request->model : name, request, reply);
}

void ead_server_count(EadServer *server, const EadServeRequest *request, const EadServeReply *reply) {
    char name[EAD_SERVE_NAME];
    EadServeRoute route = ead_serve_route(request->path, name);
    bool timed = !ead_serve_route_is_of_page(route) && reply->code != EAD_HTTP_GONE;
    ead_serve_metrics_answered(server->metrics, ead_serve_route_name(route), reply->code,
                               timed ? ead_clock_seconds() - request->arrived : (double)NAN);
}

/* ---- work ---- */

static void answer_job(void *context, EadServeJob *job) {
    if (job->is_gone && job->is_gone(job))
        ead_reply_error(&job->reply, EAD_HTTP_GONE, "the client has hung up");
    else
        ead_server_answer(context, &job->request, &job->reply);
}

static void refuse_job(void *context, EadServeJob *job) {
    (void)context;
    refuse_draining(&job->reply);
}

/* What takes longer than the thread that takes requests in may. */
static bool is_work(const EadServeRequest *request) {
    char name[EAD_SERVE_NAME];
    EadServeRoute route = ead_serve_route(request->path, name);
    bool post = scores(route) || route == EAD_ROUTE_RELOAD || route == EAD_ROUTE_PAGE_DECISION;
    return route == EAD_ROUTE_PAGE_HEAT || (post && strcmp(request->method, "POST") == 0);
}

void ead_server_submit(EadServer *server, EadServeJob *job) {
    job->request.received = ead_clock_seconds();
    if (!is_work(&job->request)) {
        ead_server_answer(server, &job->request, &job->reply);
    } else if (atomic_load(&server->draining)) {
        refuse_draining(&job->reply);
    } else {
        if (ead_job_queue_add(server->queue, job)) return;
        ead_reply_error(&job->reply, EAD_HTTP_UNAVAILABLE,
                        "as many requests as may wait do (--queue); try again");
        job->reply.retry_after = 1;
    }
    job->answered(job);
}

EadStatus ead_server_start(EadServer *server, int workers, int queue) {
    EAD_TRY(ead_serve_metrics_new(ead_model_registry_names(server->models), &server->metrics));
    return ead_job_queue_new(workers, queue, answer_job, server, &server->queue);
}

void ead_server_end(EadServer *server) {
    if (server->queue) ead_job_queue_close(server->queue, refuse_job);
}

void ead_server_free(EadServer *server) {
    ead_server_end(server);
    ead_job_queue_free(server->queue);
    ead_serve_metrics_free(server->metrics);
    server->queue = NULL;
    server->metrics = NULL;
}
