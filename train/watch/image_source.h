/* Where the images of watch come from: one file each, with its row of functions. */
#pragma once

#include "models/method.h"
#include "train/camera/camera_feed.h"
#include "train/journal/journal.h"
#include "train/metrics/threshold_rule.h"
#include "train/watch/arrivals.h"

/* An image that arrived, and what is made of it on its way. Free with ead_source_image_free(). */
typedef struct EadSourceImage {
    EadArrival arrival;   /* path: its file, or its name, CAMERA/TIME.png */
    EadCameraFrame frame; /* of a camera; else zeroed */
    uint8_t *file;        /* [file_bytes] what is to be kept of an image that is no file */
    size_t file_bytes;
} EadSourceImage;

void ead_source_image_free(EadSourceImage *image);

typedef struct EadImageSource {
    const char *name; /* of the folder, or what Aravis calls the camera */
    void *state;
    /* Waits for the next image; *found false: it was stopped, and nothing is left. One thread at a time. Errors: EAD_NO_MEMORY. */
    EadStatus (*next)(void *state, EadSourceImage *image, bool *found);
    /* Reads it as the model's images are read. *withdrawn: it is not any more what had arrived, and gets no line. Several threads. Errors:
     * why it cannot be scored. */
    EadStatus (*load)(void *state, const EadSourceImage *image, const EadModel *model, int64_t max_pixels,
                      EadImage *out, bool *withdrawn);
    /* Makes what is to be kept of an image that has this verdict. NULL: images are files. Several threads. Errors: EAD_NO_MEMORY. */
    EadStatus (*pack)(void *state, EadSourceImage *image, const EadImage *pixels, EadVerdict verdict);
    /* Puts an image to its place: of a file behind its line, since until then it must be found again; of what is packed before it, so that
     * what a line names is there. Errors: EAD_IO, EAD_NO_MEMORY. */
    EadStatus (*place)(const EadSourceImage *image, const char *target);
    /* From any thread: what waits, and is no file, may be scored until then (ead_clock_seconds()). */
    void (*stop)(void *state, double deadline);
    void (*close)(void *state);
} EadImageSource;

/* A folder, told of by the kernel or looked through. The journal says what is done; what it says has to be moved is moved. score_existing: also
 * what is there at the very first start. Errors: EAD_BAD_FILE, EAD_IO, EAD_NO_MEMORY. */
EadStatus ead_folder_source_open(const EadArrivalOptions *options, bool score_existing, EadJournal *journal,
                                 EadImageSource *out);

typedef struct EadCameraSourceOptions {
    EadCameraOptions camera; /* name NULL: there is no camera */
    int queue;               /* images that may wait */
    bool anomalous_alone;    /* of those that are placed */
} EadCameraSourceOptions;

/* A camera; the trigger Software is asked by lines on standard input. Errors: those of ead_camera_device_open(). */
EadStatus ead_camera_source_open(const EadCameraSourceOptions *options, EadImageSource *out);
