/* Images of a camera, which are files only where they are kept. */
#include "core/base/atomic_file.h"
#include "core/base/memory.h"
#include "core/system/clock.h"
#include "data/codec/codec.h"
#include "train/journal/watch_result.h"
#include "train/watch/image_source.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WHITE_OF_16_BITS = 65535 };

typedef struct CameraSource {
    EadCameraFeed *feed;
    char folder[256]; /* the camera's name, fit for one */
    bool anomalous_alone;
} CameraSource;

/* "Vendor-Model-123/20261129T213000.123456789Z.png" */
static char *name_image(const CameraSource *source, int64_t time) {
    EadPath name;
    char text[EAD_TIME_TEXT], *end = text;
    ead_time_text(time, text);
    for (const char *at = text; *at; at++)
        if (*at != '-' && *at != ':') *end++ = *at;
    *end = '\0';
    snprintf(name, sizeof name, "%s/%s.png", source->folder, text);
    return ead_strdup(name);
}

static EadStatus next_frame(void *state, EadSourceImage *image, bool *found) {
    CameraSource *source = state;
    EadCameraFrame *frame = &image->frame;
    ead_camera_feed_next(source->feed, frame, found);
    if (!*found) return EAD_OK;
    int64_t came = ead_time_now() - (int64_t)(1e9 * (ead_clock_seconds() - frame->seen));
    char *name = name_image(source, came);
    image->arrival = (EadArrival){
        .path = name, .below = name, .bytes = frame->bytes, .modified = came, .seen = frame->seen};
    return name ? EAD_OK : EAD_NO_MEMORY;
}

static EadStatus load_frame(void *state, const EadSourceImage *image, const EadModel *model,
                            int64_t max_pixels, EadImage *out, bool *withdrawn) {
    const EadCameraFrame *frame = &image->frame;
    EadPixelRows rows = frame->rows;
    char missed[EAD_MISSED_TEXT];
    (void)state;
    *withdrawn = false;
    if (!frame->pixels) {
        ead_missed_describe(frame->missed, missed);
        return ead_fail(EAD_IO, "%.*s: %s", (int)strcspn(image->arrival.below, "/"), image->arrival.below,
                        missed);
    }
    if ((int64_t)rows.width * rows.height > max_pixels)
        return ead_fail(EAD_BAD_SHAPE, "%s: %d x %d pixels; at most %lld in all are read (--max-pixels)",
                        image->arrival.path, rows.width, rows.height, (long long)max_pixels);
    if (rows.white == WHITE_OF_16_BITS && model->image_bits) rows.white = (1 << model->image_bits) - 1;
    if (rows.white == WHITE_OF_16_BITS && model->image_white) rows.white = model->image_white;
    return ead_image_of_rows(&rows, out);
}

static EadStatus pack_frame(void *state, EadSourceImage *image, const EadImage *pixels, EadVerdict verdict) {
    const CameraSource *source = state;
    if (!pixels->pixels || (source->anomalous_alone && verdict == EAD_VERDICT_OK)) return EAD_OK;
    return ead_png_encode(pixels, &image->file, &image->file_bytes);
}

static EadStatus write_frame(const EadSourceImage *image, const char *target) {
    EadAtomicFile file;
    EadPath folder;
    EAD_TRY(ead_path_folder(folder, target));
    EAD_TRY(ead_make_directories(folder));
    EAD_TRY(ead_atomic_file_open(&file, target));
    fwrite(image->file, 1, image->file_bytes, file.stream);
    return ead_atomic_file_commit(&file);
}

static void stop_camera(void *state, double deadline) {
    ead_camera_feed_stop(((CameraSource *)state)->feed, deadline);
}

static void close_camera(void *state) {
    ead_camera_feed_close(((CameraSource *)state)->feed);
    free(state);
}

EadStatus ead_camera_source_open(const EadCameraSourceOptions *options, EadImageSource *out) {
    CameraSource *source = ead_new(1, sizeof *source, "a camera");
    const char *trigger = options->camera.trigger;
    *out = (EadImageSource){0};
    if (!source) return EAD_NO_MEMORY;
    source->anomalous_alone = options->anomalous_alone;
    int triggers = trigger && strcmp(trigger, "Software") == 0 ? STDIN_FILENO : -1;
    EadStatus status = ead_camera_feed_open(&options->camera, options->queue, triggers, &source->feed);
    if (status != EAD_OK) {
        free(source);
        return status;
    }
    snprintf(source->folder, sizeof source->folder, "%s", ead_camera_feed_name(source->feed));
    for (char *at = source->folder; *at; at++)
        if (!isalnum((unsigned char)*at) && (!strchr("-_.", *at) || at == source->folder)) *at = '_';
    *out = (EadImageSource){.name = ead_camera_feed_name(source->feed),
                            .state = source,
                            .next = next_frame,
                            .load = load_frame,
                            .pack = pack_frame,
                            .place = write_frame,
                            .stop = stop_camera,
                            .close = close_camera};
    return EAD_OK;
}
