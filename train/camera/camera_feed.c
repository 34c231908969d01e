/* One thread takes images, another one lines that ask for them. */
#include "train/camera/camera_feed.h"

#include "core/base/memory.h"
#include "core/base/printing.h"
#include "core/system/clock.h"
#include "core/system/worker_threads.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { MOST_NAME = 256, MOST_GAP = 10000 };

static const double look = 0.1, first_pause = 0.25, longest_pause = 30;

struct EadCameraFeed {
    EadCameraOptions options;
    char name[MOST_NAME];
    int most, triggers, stop; /* stop: eventfd */
    EadWorkers taker, asker;
    pthread_mutex_t asking;
    EadCameraDevice *
        device; /* the taker's, whom the asker keeps from changing it while `asking`; NULL: the camera is away */
    uint64_t last;      /* number of the last whole image; where `numbered` */
    int64_t incomplete; /* images since */
    bool numbered;
    pthread_mutex_t mutex; /* of all that follows */
    pthread_cond_t news;
    EadCameraFrame *queue; /* [capacity]: images, and between two at most one entry of what was missed */
    int capacity, first, count, images;
    bool stopped, ended;
    double deadline; /* of what waits; where `stopped` */
};

/* ---- the queue, under the mutex ---- */

static void append(EadCameraFeed *feed, const EadCameraFrame *frame) {
    feed->queue[(feed->first + feed->count++) % feed->capacity] = *frame;
    pthread_cond_signal(&feed->news);
}

/* Adds what was missed to the entry at the end, or a new one. */
static void append_missed(EadCameraFeed *feed, const EadCameraFrame *frame) {
    int end = feed->first + feed->count;
    EadCameraFrame *last = feed->count > 0 ? &feed->queue[(end - 1) % feed->capacity] : NULL;
    if (!last || last->pixels) {
        append(feed, frame);
        return;
    }
    for (int i = 0; i < EAD_MISS_COUNT; i++) last->missed[i] += frame->missed[i];
}

static void miss(EadCameraFeed *feed, const EadCameraFrame *frame, EadMissReason reason, int64_t count) {
    EadCameraFrame missed = *frame;
    missed.pixels = NULL;
    missed.rows = (EadPixelRows){0};
    memset(missed.missed, 0, sizeof missed.missed);
    missed.missed[reason] = count;
    append_missed(feed, &missed);
}

/* Images of which nothing came: numbers between the last whole image and this one, without those that came incomplete, whose own numbers may
 * be lost, too. A number that is not higher, or far higher, begins anew. */
static int64_t count_lost(EadCameraFeed *feed, const EadCameraFrame *frame) {
    if (!frame->pixels) {
        feed->incomplete++;
        return 0;
    }
    uint64_t gap = feed->numbered && frame->number > feed->last ? frame->number - feed->last - 1 : 0;
    int64_t lost = gap < MOST_GAP ? (int64_t)gap - feed->incomplete : 0;
    feed->last = frame->number;
    feed->numbered = true;
    feed->incomplete = 0;
    return lost;
}

static void take_frame(EadCameraFeed *feed, EadCameraFrame *frame) {
    frame->seen = ead_clock_seconds();
    pthread_mutex_lock(&feed->mutex);
    int64_t lost = count_lost(feed, frame);
    bool full = frame->pixels && feed->images == feed->most;
    if (lost > 0) miss(feed, frame, EAD_MISS_LOST, lost);
    if (full) {
        free(frame->pixels);
        miss(feed, frame, EAD_MISS_QUEUE, 1);
    } else if (frame->pixels) {
        append(feed, frame);
        feed->images++;
    } else {
        append_missed(feed, frame);
    }
    pthread_mutex_unlock(&feed->mutex);
}

/* ---- the camera ---- */

static bool is_stopped(EadCameraFeed *feed) {
    pthread_mutex_lock(&feed->mutex);
    bool stopped = feed->stopped;
    pthread_mutex_unlock(&feed->mutex);
    return stopped;
}

/* Puts another device, or none, in the place of that which is there, when nobody asks it for an image. */
static void change_device(EadCameraFeed *feed, EadCameraDevice *device) {
    pthread_mutex_lock(&feed->asking);
    EadCameraDevice *before = feed->device;
    feed->device = device;
    pthread_mutex_unlock(&feed->asking);
    feed->numbered = false;
    feed->incomplete = 0;
    ead_camera_device_close(before);
}

/* Tries again, ever more seldom, until it is there or all is stopped. */
static void find_again(EadCameraFeed *feed) {
    double pause = first_pause;
    ead_print(stderr, "efficientad: camera %s: %s; tried again\n", feed->name, ead_error_message());
    change_device(feed, NULL);
    while (!is_stopped(feed)) {
        struct pollfd stop = {.fd = feed->stop, .events = POLLIN};
        poll(&stop, 1, (int)(1e3 * pause));
        EadCameraDevice *device;
        if (!is_stopped(feed) && ead_camera_device_open(&feed->options, &device) == EAD_OK) {
            change_device(feed, device);
            ead_print(stderr, "camera %s: works again\n", feed->name);
            return;
        }
        pause = pause < longest_pause / 2 ? 2 * pause : longest_pause;
    }
}

static void *take_all(void *context) {
    EadCameraFeed *feed = context;
    while (!is_stopped(feed)) {
        EadCameraFrame frame = {0};
        bool found;
        if (ead_camera_device_next(feed->device, look, &frame, &found) != EAD_OK)
            find_again(feed);
        else if (found)
            take_frame(feed, &frame);
    }
    change_device(feed, NULL);
    pthread_mutex_lock(&feed->mutex);
    feed->ended = true;
    pthread_cond_broadcast(&feed->news);
    pthread_mutex_unlock(&feed->mutex);
    return NULL;
}

/* ---- lines that ask for images ---- */

static void ask(EadCameraFeed *feed) {
    pthread_mutex_lock(&feed->asking);
    bool asked = feed->device && ead_camera_device_trigger(feed->device) == EAD_OK;
    pthread_mutex_unlock(&feed->asking);
    if (asked) return;
    pthread_mutex_lock(&feed->mutex);
    miss(feed, &(EadCameraFrame){.seen = ead_clock_seconds()}, EAD_MISS_AWAY, 1);
    pthread_mutex_unlock(&feed->mutex);
}

static void *ask_all(void *context) {
    EadCameraFeed *feed = context;
    char text[256];
    struct pollfd wanted[] = {{.fd = feed->stop, .events = POLLIN}, {.fd = feed->triggers, .events = POLLIN}};
    for (;;) {
        bool failed = poll(wanted, 2, -1) < 0 && errno != EINTR;
        if (failed || wanted[0].revents) return NULL;
        ssize_t got = read(feed->triggers, text, sizeof text);
        if (got == 0 || (got < 0 && errno != EINTR)) return NULL; /* nobody asks any more */
        for (ssize_t i = 0; i < got; i++)
            if (text[i] == '\n') ask(feed);
    }
}

/* ---- for callers ---- */

static EadStatus start(EadCameraFeed *feed) {
    if (feed->stop < 0) return ead_fail(EAD_IO, "eventfd: %s", strerror(errno));
    if (!feed->queue) return EAD_NO_MEMORY;
    EAD_TRY(ead_camera_device_open(&feed->options, &feed->device));
    snprintf(feed->name, sizeof feed->name, "%s", ead_camera_device_name(feed->device));
    feed->options.name = feed->name; /* the same one again, where any would do */
    EAD_TRY(ead_workers_start(&feed->taker, 1, take_all, feed));
    return feed->triggers >= 0 ? ead_workers_start(&feed->asker, 1, ask_all, feed) : EAD_OK;
}

EadStatus ead_camera_feed_open(const EadCameraOptions *options, int most, int triggers, EadCameraFeed **out) {
    *out = NULL;
    EadCameraFeed *feed = ead_new(1, sizeof *feed, "a camera");
    if (!feed) return EAD_NO_MEMORY;
    *feed = (EadCameraFeed){.options = *options,
                            .most = most,
                            .triggers = triggers,
                            .stop = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
                            .capacity = 2 * most + 1,
                            .asking = PTHREAD_MUTEX_INITIALIZER,
                            .mutex = PTHREAD_MUTEX_INITIALIZER,
                            .news = PTHREAD_COND_INITIALIZER};
    feed->queue = ead_new(feed->capacity, sizeof *feed->queue, "the images of a camera");
    EadStatus status = start(feed);
    EadFailure failure;
    ead_failure_keep(&failure, status);
    if (status == EAD_OK)
        *out = feed;
    else
        ead_camera_feed_close(feed);
    return ead_failure_tell(&failure);
}

const char *ead_camera_feed_name(const EadCameraFeed *feed) {
    return feed->name;
}

void ead_camera_feed_next(EadCameraFeed *feed, EadCameraFrame *frame, bool *found) {
    pthread_mutex_lock(&feed->mutex);
    while (feed->count == 0 && !feed->ended) pthread_cond_wait(&feed->news, &feed->mutex);
    *found = feed->count > 0;
    if (*found) {
        *frame = feed->queue[feed->first];
        feed->first = (feed->first + 1) % feed->capacity;
        feed->count--;
        feed->images -= frame->pixels != NULL;
    }
    bool late = *found && frame->pixels && feed->stopped && ead_clock_seconds() > feed->deadline;
    pthread_mutex_unlock(&feed->mutex);
    if (!late) return;
    free(frame->pixels);
    frame->pixels = NULL;
    frame->missed[EAD_MISS_ENDED] = 1;
}

void ead_camera_feed_stop(EadCameraFeed *feed, double deadline) {
    uint64_t one = 1;
    pthread_mutex_lock(&feed->mutex);
    feed->stopped = true;
    feed->deadline = deadline;
    pthread_mutex_unlock(&feed->mutex);
    bool told = write(feed->stop, &one, sizeof one) == sizeof one;
    (void)told; /* an eventfd takes it */
}

void ead_camera_feed_close(EadCameraFeed *feed) {
    if (!feed) return;
    ead_camera_feed_stop(feed, 0);
    ead_workers_join(&feed->asker);
    ead_workers_join(&feed->taker);
    ead_camera_device_close(feed->device);
    for (int i = 0; i < feed->count; i++) free(feed->queue[(feed->first + i) % feed->capacity].pixels);
    free(feed->queue);
    if (feed->stop >= 0) close(feed->stop);
    pthread_cond_destroy(&feed->news);
    pthread_mutex_destroy(&feed->mutex);
    pthread_mutex_destroy(&feed->asking);
    free(feed);
}
