/* A queue between the work and the page. */
#include "train/watch/shown_images.h"

#include "core/base/memory.h"

#include <stdlib.h>
#include <string.h>

enum { PICTURES = 2 }; /* that may wait, since each holds all pixels of an image */

struct EadShownImages {
    EadServer *server;
    EadJobQueue *queue;
    atomic_int pictures;
};

/* An image on its way to the page. */
typedef struct WaitingImage {
    EadServeJob job;
    EadShownImages *shown;
    EadShownImage image;
    char *source;
} WaitingImage;

static void release_pixels(EadShownImage *image) {
    ead_image_free(&image->image);
    free(image->map);
    image->map = NULL;
}

static void release(EadShownImages *shown, EadShownImage *image) {
    release_pixels(image);
    ead_model_registry_release(shown->server->models, image->model);
}

static void forget(EadServeJob *job) {
    WaitingImage *waiting = job->context;
    if (waiting->image.map) atomic_fetch_sub(&waiting->shown->pictures, 1);
    release(waiting->shown, &waiting->image);
    free(waiting->source);
    free(waiting);
}

static void show(void *context, EadServeJob *job) {
    const EadShownImages *shown = context;
    const WaitingImage *waiting = job->context;
    const EadShownImage *image = &waiting->image;
    double seconds = 0;
    for (int i = 0; i < EAD_STAGES; i++) seconds += image->seconds[i];
    if (image->failed) {
        ead_live_page_fail(shown->server->page, image->model->name, image->failed);
        return;
    }
    ead_live_page_add(shown->server->page, &(EadLiveImage){.sequence = image->sequence,
                                                           .source = waiting->source,
                                                           .name = image->model->name,
                                                           .sha256 = image->model->sha256,
                                                           .model = image->model->model,
                                                           .pixels = image->image.pixels,
                                                           .width = image->image.width,
                                                           .height = image->image.height,
                                                           .channels = image->image.channels,
                                                           .map = image->map,
                                                           .score = image->score,
                                                           .seconds = seconds,
                                                           .network = image->seconds[EAD_STAGE_DETECTOR]});
}

static void drop(void *context, EadServeJob *job) {
    (void)context, (void)job; /* nobody is told */
}

EadStatus ead_shown_images_new(EadServer *server, bool of_camera, EadShownImages **out) {
    EadShownImages *shown = *out = ead_new(1, sizeof *shown, "the images of the page");
    if (!shown) return EAD_NO_MEMORY;
    *shown = (EadShownImages){.server = server};
    for (int i = 0; of_camera && i < EAD_MISS_COUNT; i++)
        ead_serve_metrics_missed(server->metrics, ead_miss_name((EadMissReason)i), 0);
    if (!server->page) return EAD_OK;
    EadStatus status = ead_job_queue_new(1, EAD_RECENT_IMAGES, show, shown, &shown->queue);
    if (status == EAD_OK) return EAD_OK;
    free(shown);
    *out = NULL;
    return status;
}

static void count(EadServeMetrics *metrics, const EadShownImage *image) {
    const EadServedModel *model = image->model;
    EadPoolImage scored = {.score = image->score};
    EadServeCourse course = {
        .model = model->name, .images = &scored, .count = 1, .threshold = model->model->threshold};
    memcpy(course.seconds, image->seconds, sizeof course.seconds);
    for (int i = 0; image->missed && i < EAD_MISS_COUNT; i++)
        ead_serve_metrics_missed(metrics, ead_miss_name((EadMissReason)i), image->missed[i]);
    if (image->failed)
        ead_serve_metrics_failed(metrics, model->name);
    else
        ead_serve_metrics_scored(metrics, &course);
}

/* NULL without memory, or without a page. */
static WaitingImage *make_waiting(EadShownImages *shown, const EadShownImage *image) {
    WaitingImage *waiting = shown->queue ? ead_new(1, sizeof *waiting, "an image of the page") : NULL;
    char *source = waiting ? ead_strdup(image->source) : NULL;
    if (!source) {
        free(waiting);
        return NULL;
    }
    *waiting = (WaitingImage){
        .job = {.answered = forget, .context = waiting}, .shown = shown, .image = *image, .source = source};
    return waiting;
}

void ead_shown_images_add(EadShownImages *shown, const EadShownImage *image) {
    count(shown->server->metrics, image);
    WaitingImage *waiting = make_waiting(shown, image);
    if (!waiting) {
        release(shown, &(EadShownImage){.model = image->model, .image = image->image, .map = image->map});
        return;
    }
    if (image->failed || atomic_load(&shown->pictures) >= PICTURES) release_pixels(&waiting->image);
    if (waiting->image.map) atomic_fetch_add(&shown->pictures, 1);
    if (!ead_job_queue_add(shown->queue, &waiting->job)) forget(&waiting->job);
}

void ead_shown_images_free(EadShownImages *shown) {
    if (!shown) return;
    if (shown->queue) ead_job_queue_close(shown->queue, drop);
    ead_job_queue_free(shown->queue);
    free(shown);
}
