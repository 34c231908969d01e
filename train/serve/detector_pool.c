/* A list of waiting images, and threads that take from its head. */
#include "train/serve/detector_pool.h"

#include "core/base/memory.h"
#include "core/system/clock.h"
#include "core/system/worker_threads.h"

#include <assert.h>
#include <omp.h>
#include <stdlib.h>

/* The images of a call; it stands on the stack of the caller, who waits until all are done. */
typedef struct Order {
    EadPoolImage *images;
    int count, taken, done;
    double deadline;
    EadFailure failure; /* the first */
    struct Order *next;
} Order;

struct EadDetectorPool {
    EadDetector **detectors; /* [opened] */
    int opened, started, threads, batch;
    EadMapSize map_size; /* of EadPoolImage.map */
    pthread_mutex_t mutex;
    pthread_cond_t wanted, finished;
    Order *first, *last;
    bool closing;
    EadWorkers workers;
};

/* An image that a thread has taken. */
typedef struct TakenImage {
    Order *order;
    EadPoolImage *image;
} TakenImage;

static bool is_late(const Order *order) {
    return ead_clock_seconds() > order->deadline;
}

/* Under the mutex. */
static void finish(EadDetectorPool *pool, Order *order, int count, EadStatus status) {
    if (status != EAD_OK && order->failure.status == EAD_OK) ead_failure_keep(&order->failure, status);
    order->done += count;
    if (order->done == order->count) pthread_cond_broadcast(&pool->finished);
}

/* Up to a batch of what waits, under the mutex. Orders that come too late are passed over. */
static int take(EadDetectorPool *pool, TakenImage *taken) {
    int count = 0;
    while (pool->first && count < pool->batch) {
        Order *order = pool->first;
        bool late = is_late(order);
        if (late) {
            int left = order->count - order->taken;
            order->taken = order->count;
            finish(pool, order, left,
                   ead_fail(EAD_INTERRUPTED, "the deadline has passed before the image was scored"));
        } else {
            taken[count++] = (TakenImage){order, &order->images[order->taken++]};
        }
        if (order->taken == order->count) pool->first = order->next;
        if (!pool->first) pool->last = NULL;
    }
    return count;
}

static EadStatus run(EadDetector *detector, EadMapSize map_size, const TakenImage *taken, int count,
                     EadImageView *views, float **maps, float *scores) {
    EadRunOptions options = {.size = sizeof options, .map_size = map_size};
    for (int i = 0; i < count; i++) {
        const EadPoolImage *image = taken[i].image;
        maps[i] = image->map;
        views[i] = (EadImageView){.size = sizeof *views,
                                  .pixels = image->pixels,
                                  .width = image->width,
                                  .height = image->height,
                                  .stride = (ptrdiff_t)image->width * image->channels,
                                  .format = image->channels == 1 ? EAD_PIXELS_GRAY8 : EAD_PIXELS_RGB8};
    }
    EadStatus status = (EadStatus)ead_detector_run_images(detector, views, count, &options, maps, scores);
    for (int i = 0; i < count && status == EAD_OK; i++) taken[i].image->score = scores[i];
    /* Sizes were checked before, so that a bad value can come from the weights alone. */
    return status == EAD_BAD_FILE ? EAD_NOT_FINITE : status;
}

static void work(EadDetectorPool *pool, EadDetector *detector, TakenImage *taken, EadImageView *views,
                 float **maps, float *scores) {
    pthread_mutex_lock(&pool->mutex);
    while (!pool->closing || pool->first) {
        int count = take(pool, taken);
        if (count == 0 && !pool->closing) pthread_cond_wait(&pool->wanted, &pool->mutex);
        if (count == 0) continue;
        pthread_mutex_unlock(&pool->mutex);
        EadStatus status = run(detector, pool->map_size, taken, count, views, maps, scores);
        pthread_mutex_lock(&pool->mutex);
        for (int i = 0; i < count; i++) finish(pool, taken[i].order, 1, status);
    }
    pthread_mutex_unlock(&pool->mutex);
}

static void *work_alone(void *context) {
    EadDetectorPool *pool = context;
    TakenImage taken[EAD_POOL_BATCH];
    EadImageView views[EAD_POOL_BATCH];
    float *maps[EAD_POOL_BATCH], scores[EAD_POOL_BATCH];
    pthread_mutex_lock(&pool->mutex);
    EadDetector *detector = pool->detectors[pool->started++];
    pthread_mutex_unlock(&pool->mutex);
    omp_set_num_threads(pool->threads);
    work(pool, detector, taken, views, maps, scores);
    return NULL;
}

static EadStatus open_all(EadDetectorPool *pool, const EadModel *model, const EadPlanOptions *plan,
                          int count) {
    int before = omp_get_max_threads();
    EadStatus status = EAD_OK;
    pool->detectors = ead_new(count, sizeof(EadDetector *), "detectors");
    if (!pool->detectors) return EAD_NO_MEMORY;
    omp_set_num_threads(pool->threads); /* a plan has room for as many */
    while (status == EAD_OK && pool->opened < count) {
        status = ead_detector_new(model, plan, pool->batch, &pool->detectors[pool->opened]);
        pool->opened += status == EAD_OK;
    }
    omp_set_num_threads(before);
    return status;
}

EadStatus ead_detector_pool_new(const EadModel *model, const EadPlanOptions *plan, int count, int threads,
                                int batch, EadDetectorPool **out) {
    *out = NULL;
    assert(batch >= 1 && batch <= EAD_POOL_BATCH);
    EadDetectorPool *pool = ead_new(1, sizeof *pool, "detectors");
    if (!pool) return EAD_NO_MEMORY;
    *pool = (EadDetectorPool){.map_size = model->tiles.size ? EAD_MAP_OF_IMAGE : EAD_MAP_OF_MODEL,
                              .threads = threads,
                              .batch = batch,
                              .mutex = PTHREAD_MUTEX_INITIALIZER,
                              .wanted = PTHREAD_COND_INITIALIZER,
                              .finished = PTHREAD_COND_INITIALIZER};
    EadStatus status = open_all(pool, model, plan, count);
    if (status == EAD_OK) status = ead_workers_start(&pool->workers, count, work_alone, pool);
    if (status == EAD_OK)
        *out = pool;
    else
        ead_detector_pool_free(pool);
    return status;
}

/* Before they share a batch with those of others, who are not to fail with them. */
static EadStatus check_sizes(const EadDetectorPool *pool, const EadPoolImage *images, int count) {
    const EadRegion *region = ead_detector_region(pool->detectors[0]);
    for (int i = 0; i < count; i++)
        if (ead_region_check(region, images[i].width, images[i].height) != EAD_OK)
            return ead_fail_prefix(EAD_BAD_ARGUMENT, "image %d: ", i + 1);
    return EAD_OK;
}

EadStatus ead_detector_pool_score(EadDetectorPool *pool, EadPoolImage *images, int count, double deadline) {
    Order order = {.images = images, .count = count, .deadline = deadline};
    EAD_TRY(check_sizes(pool, images, count));
    pthread_mutex_lock(&pool->mutex);
    if (pool->last)
        pool->last->next = &order;
    else
        pool->first = &order;
    pool->last = &order;
    if (count > pool->batch)
        pthread_cond_broadcast(&pool->wanted);
    else
        pthread_cond_signal(&pool->wanted);
    while (order.done < count) pthread_cond_wait(&pool->finished, &pool->mutex);
    pthread_mutex_unlock(&pool->mutex);
    return ead_failure_tell(&order.failure);
}

size_t ead_detector_pool_bytes(const EadDetectorPool *pool) {
    return (size_t)pool->opened * ead_detector_bytes(pool->detectors[0]);
}

void ead_detector_pool_free(EadDetectorPool *pool) {
    if (!pool) return;
    pthread_mutex_lock(&pool->mutex);
    pool->closing = true;
    pthread_cond_broadcast(&pool->wanted);
    pthread_mutex_unlock(&pool->mutex);
    ead_workers_join(&pool->workers);
    for (int i = 0; i < pool->opened; i++) ead_detector_close(pool->detectors[i]);
    free(pool->detectors);
    pthread_cond_destroy(&pool->wanted);
    pthread_cond_destroy(&pool->finished);
    pthread_mutex_destroy(&pool->mutex);
    free(pool);
}
