/* From an arrival to its line. */
#include "train/watch/watch.h"

#include "core/base/memory.h"
#include "core/base/paths.h"
#include "core/base/printing.h"
#include "core/system/clock.h"
#include "core/system/ordered_work.h"
#include "core/system/worker_threads.h"
#include "train/evaluate/scoring.h"
#include "train/journal/watch_result.h"
#include "train/serve/inference.h"
#include "train/watch/moved_image.h"
#include "train/watch/shown_images.h"

#include <inttypes.h>
#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const double pause_of_misses = 10; /* seconds between two messages of what a camera missed */

struct EadWatch {
    EadWatchOptions options;
    EadModelRegistry *models;
    EadJournal *journal;
    EadImageSource source;
    EadReceivers *receivers;
    EadShownImages *shown; /* NULL: nobody looks */
    EadWorkers worker;     /* one thread, which starts the others */
    atomic_bool stopping, ended;
    bool given_up;      /* a line could not be written before the end: those behind it are not, either */
    bool silent;        /* standard output takes no more */
    EadFailure failure; /* what ended it */
    int64_t scored, anomalous, failed;
    int64_t missed[EAD_MISS_COUNT], untold[EAD_MISS_COUNT]; /* of them, since `told` */
    double told;
};

/* An image on its way. */
typedef struct ArrivedImage {
    EadSourceImage from;
    EadServedModel *model; /* lent */
    EadImage image;
    EadPoolImage pool;
    float *map; /* at the image's size */
    EadMapRegions regions;
    float threshold, score;          /* score NAN: it has none */
    double began, decoded, detected; /* ead_clock_seconds() */
    bool withdrawn;                  /* it is not any more what had arrived */
    EadModelRegistry *lender;
} ArrivedImage;

/* ---- scoring ---- */

static EadStatus take_image(void *context, void *memory, bool *found) {
    EadWatch *watch = context;
    return watch->source.next(watch->source.state, &((ArrivedImage *)memory)->from, found);
}

static void release_image(void *memory) {
    ArrivedImage *it = memory;
    ead_source_image_free(&it->from);
    if (it->model) ead_model_registry_release(it->lender, it->model);
    ead_image_free(&it->image);
    free(it->pool.map);
    free(it->map);
    ead_map_regions_free(&it->regions);
}

static EadStatus detect(ArrivedImage *it) {
    const EadModel *model = it->model->model;
    EadPoolImage *pool = &it->pool;
    *pool = (EadPoolImage){.pixels = it->image.pixels,
                           .width = it->image.width,
                           .height = it->image.height,
                           .channels = it->image.channels};
    pool->map = ead_new(ead_pool_map_cells(model, pool), sizeof(float), "a map");
    if (!pool->map) return EAD_NO_MEMORY;
    EAD_TRY(ead_detector_pool_score(it->model->pool, pool, 1, HUGE_VAL));
    if (!isfinite(pool->score))
        return ead_fail(EAD_BAD_FILE, "its score is %g: the model is damaged", (double)pool->score);
    EAD_TRY(ead_infer_map_of_image(it->model, pool, &it->map));
    return ead_map_regions_find(&it->regions, it->map, pool->width, pool->height, model->pixel_threshold);
}

static EadVerdict verdict_of(const ArrivedImage *it) {
    return ead_verdict((double)it->score, (double)it->threshold);
}

static EadStatus read_and_detect(EadWatch *watch, ArrivedImage *it) {
    EadStatus status = watch->source.load(watch->source.state, &it->from, it->model->model,
                                          watch->options.max_pixels, &it->image, &it->withdrawn);
    it->decoded = it->detected = ead_clock_seconds();
    if (status != EAD_OK || it->withdrawn) return status;
    status = detect(it);
    it->detected = ead_clock_seconds();
    if (status != EAD_OK) return ead_fail_prefix(status, "%s: ", it->from.arrival.path);
    it->score = it->pool.score;
    return EAD_OK;
}

static EadStatus score_image(void *context, void *memory) {
    EadWatch *watch = context;
    ArrivedImage *it = memory;
    const EadImageSource *source = &watch->source;
    EadFailure failure;
    it->began = ead_clock_seconds();
    it->lender = watch->models;
    it->model = ead_model_registry_take(watch->models, NULL);
    it->threshold = it->model->model->threshold;
    it->score = NAN;
    EadStatus status = read_and_detect(watch, it);
    ead_failure_keep(&failure, status);
    if (source->pack && watch->options.move_to &&
        source->pack(source->state, &it->from, &it->image, verdict_of(it)) != EAD_OK)
        ead_print(stderr, "efficientad: %s; it is not kept\n", ead_error_message());
    return ead_failure_tell(&failure);
}

/* ---- lines ---- */

/* Those who ask whether it is ready are told. */
static void set_hindered(EadWatch *watch, bool hindered) {
    EadServer *server = watch->options.server;
    if (server) atomic_store(&server->hindered, hindered);
}

/* Writes the line; if the disk is full again and again, until there is room or the end comes. */
static bool note_line(EadWatch *watch, const char *line, size_t size) {
    for (bool told = false; !watch->given_up; told = true) {
        EadStatus status = ead_journal_append(watch->journal, line, size);
        if (status == EAD_OK && told) ead_print(stderr, "the journal is written again\n");
        if (status == EAD_OK) {
            set_hindered(watch, false);
            return true;
        }
        if (!told) ead_print(stderr, "efficientad: %s; tried again\n", ead_error_message());
        set_hindered(watch, true);
        watch->given_up = atomic_load(&watch->stopping);
        for (int i = 0; i < 20 && !atomic_load(&watch->stopping); i++)
            nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
    }
    return false;
}

static void print_line(EadWatch *watch, const char *line, size_t size) {
    if (watch->silent) return;
    fwrite(line, 1, size, stdout);
    watch->silent = ead_print_flush(stdout) != EAD_OK;
    if (!watch->silent) return;
    ead_print(stderr, "efficientad: %s; the lines go on in the journal alone\n", ead_error_message());
    if (!freopen("/dev/null", "w", stdout)) clearerr(stdout); /* said once: not at the end, too */
}

/* Puts the image where its line says that it is. */
static bool place_image(EadWatch *watch, const EadSourceImage *image, const char *target) {
    bool placed = watch->source.place(image, target) == EAD_OK;
    if (!placed)
        ead_print(stderr, "efficientad: %s; %s\n", ead_error_message(),
                  watch->source.pack ? "it is not kept" : "the next start tries again");
    return placed;
}

/* *noted: whether the journal has it. */
static EadStatus write_line(EadWatch *watch, const EadSourceImage *image, EadWatchResult *result,
                            bool *noted) {
    char *line;
    size_t size;
    if (result->moved && watch->source.pack && !place_image(watch, image, result->moved))
        result->moved = NULL;
    FILE *stream = open_memstream(&line, &size);
    if (!stream) return ead_fail(EAD_NO_MEMORY, "no memory for a line");
    ead_watch_result_write(stream, result);
    EAD_TRY(ead_memory_stream_close(stream, &line, "a line"));
    *noted = note_line(watch, line, size);
    if (*noted && result->moved && !watch->source.pack) place_image(watch, image, result->moved);
    if (*noted) ead_journal_tell(watch->journal);
    if (*noted) print_line(watch, line, size);
    free(line);
    return EAD_OK;
}

/* To those who look: last of all, and so that nothing waits for it. */
static void show_image(EadWatch *watch, ArrivedImage *it, int64_t sequence, int64_t failed) {
    if (!watch->shown) return;
    const EadArrival *arrival = &it->from.arrival;
    EadShownImage image = {.sequence = sequence,
                           .source = arrival->below,
                           .failed = failed,
                           .missed = watch->options.camera.camera.name ? it->from.frame.missed : NULL,
                           .score = it->pool.score,
                           .seconds = {[EAD_STAGE_QUEUE] = it->began - arrival->seen,
                                       [EAD_STAGE_DECODE] = it->decoded - it->began,
                                       [EAD_STAGE_DETECTOR] = it->detected - it->decoded,
                                       [EAD_STAGE_REPLY] = ead_clock_seconds() - it->detected},
                           .model = it->model,
                           .image = it->image,
                           .map = it->pool.map};
    it->model = NULL;
    it->image = (EadImage){0};
    it->pool.map = NULL;
    ead_shown_images_add(watch->shown, &image);
}

/* Where it is put; "": nowhere. */
static void find_target(const EadWatch *watch, const ArrivedImage *it, EadPath target) {
    const EadArrival *arrival = &it->from.arrival;
    target[0] = '\0';
    if (!watch->options.move_to || (watch->source.pack && !it->from.file)) return;
    EadVerdict verdict = verdict_of(it);
    if (ead_move_target(watch->options.move_to, verdict, arrival->path, arrival->below, target) == EAD_OK)
        return;
    ead_print(stderr, "efficientad: %s; it stays\n", ead_error_message());
    target[0] = '\0';
}

/* Each image that cannot be scored is told; those that a camera or its network loses, of which there may be many a second, together. */
static void tell_error(EadWatch *watch, const ArrivedImage *it, const char *message) {
    char missed[EAD_MISSED_TEXT];
    double now = ead_clock_seconds();
    if (ead_missed_total(it->from.frame.missed) == 0) ead_print(stderr, "efficientad: %s\n", message);
    for (int i = 0; i < EAD_MISS_COUNT; i++) watch->untold[i] += it->from.frame.missed[i];
    if (ead_missed_total(watch->untold) == 0 || now - watch->told < pause_of_misses) return;
    ead_missed_describe(watch->untold, missed);
    ead_print(stderr, "efficientad: camera %s: %s\n", watch->source.name, missed);
    memset(watch->untold, 0, sizeof watch->untold);
    watch->told = now;
}

/* Gives how many images this was. */
static int64_t count_image(EadWatch *watch, const ArrivedImage *it) {
    int64_t missed = ead_missed_total(it->from.frame.missed);
    for (int i = 0; i < EAD_MISS_COUNT; i++) watch->missed[i] += it->from.frame.missed[i];
    watch->scored += !isnan(it->score);
    watch->failed += isnan(it->score) && missed == 0;
    watch->anomalous += verdict_of(it) == EAD_VERDICT_NG;
    return missed > 0 ? missed : 1;
}

static EadStatus deliver_image(void *context, void *memory, EadStatus status) {
    EadWatch *watch = context;
    ArrivedImage *it = memory;
    const EadArrival *arrival = &it->from.arrival;
    EadPath source, target;
    EadFailure failure;
    if (it->withdrawn) return EAD_OK;
    ead_failure_keep(&failure, status);
    if (status != EAD_OK) it->score = NAN;
    find_target(watch, it, target);
    if (ead_path_folder(source, arrival->below) != EAD_OK) source[0] = '\0';
    EadWatchResult result = {.sequence = ead_journal_next(watch->journal),
                             .time = ead_time_now(),
                             .source = source,
                             .prediction = {.path = arrival->path,
                                            .error = status == EAD_OK ? NULL : failure.message,
                                            .score = it->score,
                                            .threshold = it->threshold,
                                            .regions = &it->regions},
                             .bytes = arrival->bytes,
                             .modified = arrival->modified,
                             .frame = watch->options.camera.camera.name ? &it->from.frame : NULL,
                             .model = it->model->name,
                             .sha256 = it->model->sha256,
                             .moved = *target ? target : NULL,
                             .waiting = it->began - arrival->seen,
                             .decoding = it->decoded - it->began,
                             .detecting = it->detected - it->decoded};
    int64_t images = count_image(watch, it);
    if (status != EAD_OK) tell_error(watch, it, failure.message);
    bool noted = false;
    EAD_TRY(write_line(watch, &it->from, &result, &noted));
    if (noted) show_image(watch, it, (int64_t)result.sequence, status != EAD_OK ? images : 0);
    return EAD_OK;
}

static void *work_all(void *context) {
    EadWatch *watch = context;
    EadOrderedWork work = {sizeof(ArrivedImage), take_image,    score_image,
                           deliver_image,        release_image, watch};
    EadStatus status = ead_work_in_order(&work, watch->options.threads);
    ead_failure_keep(&watch->failure, status);
    atomic_store(&watch->ended, true);
    return NULL;
}

/* ---- the start ---- */

static EadStatus open_source(EadWatch *watch) {
    const EadWatchOptions *options = &watch->options;
    if (options->camera.camera.name) return ead_camera_source_open(&options->camera, &watch->source);
    return ead_folder_source_open(&options->arrivals, options->score_existing, watch->journal,
                                  &watch->source);
}

static EadStatus start_all(EadWatch *watch) {
    EadStringList notes = {0};
    EadStatus status = ead_journal_open(&watch->options.journal, &notes, &watch->journal);
    for (int i = 0; i < notes.count; i++) ead_print(stderr, "%s\n", notes.items[i]);
    ead_strings_free(&notes);
    EAD_TRY(status);
    bool of_camera = watch->options.camera.camera.name != NULL;
    if (watch->options.server) EAD_TRY(ead_shown_images_new(watch->options.server, of_camera, &watch->shown));
    EAD_TRY(open_source(watch));
    EAD_TRY(ead_receivers_start(&watch->options.receivers, watch->journal, &watch->receivers));
    return ead_workers_start(&watch->worker, 1, work_all, watch);
}

EadStatus ead_watch_start(const EadWatchOptions *options, EadModelRegistry *models, EadWatch **out) {
    *out = NULL;
    EadWatch *watch = ead_new(1, sizeof *watch, "a watch");
    if (!watch) return EAD_NO_MEMORY;
    *watch = (EadWatch){.options = *options, .models = models, .told = -pause_of_misses};
    EadStatus status = start_all(watch);
    EadFailure failure;
    ead_failure_keep(&failure, status);
    if (status == EAD_OK)
        *out = watch;
    else
        ead_watch_end(watch, 0);
    return ead_failure_tell(&failure);
}

const char *ead_watch_source(const EadWatch *watch) {
    return watch->source.name;
}

bool ead_watch_runs(const EadWatch *watch) {
    return !atomic_load(&watch->ended);
}

static void tell_counts(const EadWatch *watch) {
    char missed[EAD_MISSED_TEXT];
    ead_missed_describe(watch->missed, missed);
    bool any = ead_missed_total(watch->missed) > 0;
    ead_print(stderr, "%" PRId64 " images scored, %" PRId64 " of them anomalous; %" PRId64 " failed%s%s\n",
              watch->scored, watch->anomalous, watch->failed, any ? "; " : "", any ? missed : "");
}

EadStatus ead_watch_end(EadWatch *watch, double seconds) {
    if (!watch) return EAD_OK;
    double deadline = ead_clock_seconds() + seconds;
    atomic_store(&watch->stopping, true);
    if (watch->source.stop) watch->source.stop(watch->source.state, deadline - seconds / 2);
    bool ran = watch->worker.count > 0;
    ead_workers_join(&watch->worker);
    ead_shown_images_free(watch->shown);
    EadFailure failure = watch->failure;
    if (ran && !watch->options.quiet) tell_counts(watch);
    if (watch->source.close) watch->source.close(watch->source.state);
    if (!ead_receivers_end(watch->receivers, deadline)) return ead_failure_tell(&failure);
    ead_journal_close(watch->journal);
    free(watch);
    return ead_failure_tell(&failure);
}
