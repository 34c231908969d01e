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
#include "train/watch/known_files.h"
#include "train/watch/moved_image.h"
#include "train/watch/shown_images.h"
#include "train/watch/images_left_out.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct EadWatch {
    EadWatchOptions options;
    EadModelRegistry *models;
    EadJournal *journal;
    EadArrivals *arrivals;
    EadReceivers *receivers;
    EadShownImages *shown; /* NULL: nobody looks */
    EadWorkers worker;     /* one thread, which starts the others */
    atomic_bool stopping, ended;
    bool given_up;      /* a line could not be written before the end: those behind it are not, either */
    bool silent;        /* standard output takes no more */
    EadFailure failure; /* what ended it */
    int64_t scored, anomalous, failed;
};

/* An image on its way. */
typedef struct ArrivedImage {
    EadArrival arrival;
    EadServedModel *model; /* lent */
    EadImage image;
    EadPoolImage pool;
    float *map; /* at the image's size */
    EadMapRegions regions;
    float threshold;
    double began, decoded, detected; /* ead_clock_seconds() */
    bool changed, gone;              /* it is not what had arrived any more */
    EadModelRegistry *lender;
} ArrivedImage;

/* ---- scoring ---- */

static EadStatus take_image(void *context, void *memory, bool *found) {
    EadWatch *watch = context;
    return ead_arrivals_next(watch->arrivals, &((ArrivedImage *)memory)->arrival, found);
}

static void release_image(void *memory) {
    ArrivedImage *it = memory;
    free(it->arrival.path);
    if (it->model) ead_model_registry_release(it->lender, it->model);
    ead_image_free(&it->image);
    free(it->pool.map);
    free(it->map);
    ead_map_regions_free(&it->regions);
}

/* Whether the file is still what had arrived. */
static bool is_same(ArrivedImage *it) {
    struct stat info;
    it->gone = stat(it->arrival.path, &info) != 0 && (errno == ENOENT || errno == ENOTDIR);
    it->changed =
        !it->gone && (info.st_size != it->arrival.bytes || ead_modified(&info) != it->arrival.modified);
    return !it->gone && !it->changed;
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

static EadStatus score_image(void *context, void *memory) {
    EadWatch *watch = context;
    ArrivedImage *it = memory;
    it->began = it->decoded = it->detected = ead_clock_seconds();
    if (!is_same(it)) return EAD_OK;
    it->lender = watch->models;
    it->model = ead_model_registry_take(watch->models, NULL);
    const EadModel *model = it->model->model;
    EadImageRules rules = ead_model_image_rules(model, watch->options.max_pixels);
    it->threshold = model->threshold;
    EadStatus status = ead_image_load_with(it->arrival.path, &rules, &it->image);
    EadFailure failure;
    ead_failure_keep(&failure, status);
    it->decoded = it->detected = ead_clock_seconds();
    if (!is_same(it)) return EAD_OK; /* also where it could not be read: it was being written */
    EAD_TRY(ead_failure_tell(&failure));
    status = detect(it);
    it->detected = ead_clock_seconds();
    return status == EAD_OK ? EAD_OK : ead_fail_prefix(status, "%s: ", it->arrival.path);
}

/* ---- lines ---- */

/* Writes the line; if the disk is full again and again, until there is room or the end comes. */
static bool note_line(EadWatch *watch, const char *line, size_t size) {
    for (bool told = false; !watch->given_up; told = true) {
        EadStatus status = ead_journal_append(watch->journal, line, size);
        if (status == EAD_OK && told) ead_print(stderr, "the journal is written again\n");
        if (status == EAD_OK) return true;
        if (!told) ead_print(stderr, "efficientad: %s; tried again\n", ead_error_message());
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

/* *noted: whether the journal has it. */
static EadStatus write_line(EadWatch *watch, const EadWatchResult *result, bool *noted) {
    char *line;
    size_t size;
    const char *path = result->prediction.path;
    FILE *stream = open_memstream(&line, &size);
    if (!stream) return ead_fail(EAD_NO_MEMORY, "no memory for a line");
    ead_watch_result_write(stream, result);
    EAD_TRY(ead_memory_stream_close(stream, &line, "a line"));
    *noted = note_line(watch, line, size);
    if (*noted && result->moved && ead_move_image(path, result->moved) != EAD_OK)
        ead_print(stderr, "efficientad: %s; the next start tries again\n", ead_error_message());
    if (*noted) ead_journal_tell(watch->journal);
    if (*noted) print_line(watch, line, size);
    free(line);
    return EAD_OK;
}

/* To those who look: last of all, and so that nothing waits for it. */
static void show_image(EadWatch *watch, ArrivedImage *it, int64_t sequence, bool failed) {
    if (!watch->shown) return;
    EadShownImage image = {.sequence = sequence,
                           .source = it->arrival.below,
                           .failed = failed,
                           .score = it->pool.score,
                           .seconds = {[EAD_STAGE_QUEUE] = it->began - it->arrival.seen,
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

static EadStatus deliver_image(void *context, void *memory, EadStatus status) {
    EadWatch *watch = context;
    ArrivedImage *it = memory;
    const EadArrival *arrival = &it->arrival;
    EadPath source, target = "";
    EadFailure failure;
    if (it->changed) ead_arrivals_again(watch->arrivals, arrival);
    if (it->gone) ead_arrivals_gone(watch->arrivals, arrival);
    if (it->changed || it->gone) return EAD_OK;
    ead_failure_keep(&failure, status);
    double score = status == EAD_OK ? (double)it->pool.score : (double)NAN;
    EadVerdict verdict = ead_verdict(score, (double)it->threshold);
    if (watch->options.move_to &&
        ead_move_target(watch->options.move_to, verdict, arrival->path, arrival->below, target) != EAD_OK) {
        ead_print(stderr, "efficientad: %s; it stays\n", ead_error_message());
        target[0] = '\0';
    }
    if (ead_path_folder(source, arrival->below) != EAD_OK) source[0] = '\0';
    EadWatchResult result = {.sequence = ead_journal_next(watch->journal),
                             .time = ead_time_now(),
                             .source = source,
                             .prediction = {.path = arrival->path,
                                            .error = status == EAD_OK ? NULL : failure.message,
                                            .score = (float)score,
                                            .threshold = it->threshold,
                                            .regions = &it->regions},
                             .bytes = arrival->bytes,
                             .modified = arrival->modified,
                             .model = it->model->name,
                             .sha256 = it->model->sha256,
                             .moved = *target ? target : NULL,
                             .waiting = it->began - arrival->seen,
                             .decoding = it->decoded - it->began,
                             .detecting = it->detected - it->decoded};
    if (status != EAD_OK) ead_print(stderr, "efficientad: %s\n", failure.message);
    watch->scored += status == EAD_OK;
    watch->failed += status != EAD_OK;
    watch->anomalous += verdict == EAD_VERDICT_NG;
    bool noted;
    EAD_TRY(write_line(watch, &result, &noted));
    if (noted) show_image(watch, it, (int64_t)result.sequence, status != EAD_OK);
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

/* An image that the journal has, and that is still where it arrived. */
static bool see_line(void *context, const char *line, size_t size) {
    EadWatch *watch = context;
    json_t *root;
    if (ead_watch_result_read(line, size, &root) != EAD_OK) return true;
    EadPath path, moved;
    const char *modified = json_string_value(json_object_get(root, "modified"));
    int64_t bytes = json_integer_value(json_object_get(root, "bytes"));
    if (modified && ead_result_path_read(root, "path", path) &&
        ead_arrivals_known(watch->arrivals, path, bytes, modified) &&
        ead_result_path_read(root, "moved", moved) && ead_move_image(path, moved) != EAD_OK)
        ead_print(stderr, "efficientad: %s\n", ead_error_message());
    json_decref(root);
    return true;
}

static EadStatus open_folder_to_watch(EadWatch *watch) {
    const char *folder = ead_journal_folder(watch->journal);
    bool skips = !watch->options.score_existing && ead_journal_is_new(watch->journal);
    EAD_TRY(ead_arrivals_open(&watch->options.arrivals, &watch->arrivals));
    EAD_TRY(ead_images_left_out(folder, skips, watch->arrivals));
    return ead_journal_walk(watch->journal, see_line, watch);
}

static EadStatus start_all(EadWatch *watch) {
    EadStringList notes = {0};
    EadStatus status = ead_journal_open(&watch->options.journal, &notes, &watch->journal);
    for (int i = 0; i < notes.count; i++) ead_print(stderr, "%s\n", notes.items[i]);
    ead_strings_free(&notes);
    EAD_TRY(status);
    if (watch->options.server) EAD_TRY(ead_shown_images_new(watch->options.server, &watch->shown));
    EAD_TRY(open_folder_to_watch(watch));
    EAD_TRY(ead_receivers_start(&watch->options.receivers, watch->journal, &watch->receivers));
    return ead_workers_start(&watch->worker, 1, work_all, watch);
}

EadStatus ead_watch_start(const EadWatchOptions *options, EadModelRegistry *models, EadWatch **out) {
    *out = NULL;
    EadWatch *watch = ead_new(1, sizeof *watch, "a watch");
    if (!watch) return EAD_NO_MEMORY;
    *watch = (EadWatch){.options = *options, .models = models};
    EadStatus status = start_all(watch);
    EadFailure failure;
    ead_failure_keep(&failure, status);
    if (status == EAD_OK)
        *out = watch;
    else
        ead_watch_end(watch, 0);
    return ead_failure_tell(&failure);
}

bool ead_watch_runs(const EadWatch *watch) {
    return !atomic_load(&watch->ended);
}

EadStatus ead_watch_end(EadWatch *watch, double seconds) {
    if (!watch) return EAD_OK;
    double deadline = ead_clock_seconds() + seconds;
    atomic_store(&watch->stopping, true);
    if (watch->arrivals) ead_arrivals_stop(watch->arrivals);
    bool ran = watch->worker.count > 0;
    ead_workers_join(&watch->worker);
    ead_shown_images_free(watch->shown);
    EadFailure failure = watch->failure;
    if (ran && !watch->options.quiet)
        ead_print(stderr, "%" PRId64 " images scored, %" PRId64 " of them anomalous; %" PRId64 " failed\n",
                  watch->scored, watch->anomalous, watch->failed);
    ead_arrivals_close(watch->arrivals);
    if (!ead_receivers_end(watch->receivers, deadline)) return ead_failure_tell(&failure);
    ead_journal_close(watch->journal);
    free(watch);
    return ead_failure_tell(&failure);
}
