/* efficientad watch: images that arrive in a folder are scored, noted in the journal, moved away, and told. In this order for each, so that
 * whenever the process is killed the next one finishes what it began: an image is noted once or more, and never lost. Those of a camera are
 * scored, kept, noted and told; they are nowhere else, so that what a killed process had in hand is lost. */
#pragma once

#include "train/receivers/receivers.h"
#include "train/serve/server.h"
#include "train/watch/image_source.h"

/* Texts are borrowed. Paths are absolute, so that the next process finds its images again. */
typedef struct EadWatchOptions {
    EadArrivalOptions arrivals;
    EadCameraSourceOptions camera; /* in place of a folder, where it is named */
    bool score_existing;           /* what is there at the first start, too */
    EadJournalOptions journal;
    EadReceiverOptions receivers;
    int threads;         /* images in hand at once */
    int64_t max_pixels;  /* of an image */
    const char *move_to; /* NULL: images stay */
    EadServer *server;   /* that shows and counts what is scored, started; NULL: none does */
    bool quiet;
} EadWatchOptions;

typedef struct EadWatch EadWatch;

/* Opens journal, folder or camera, and receivers, and begins. The first model of the registry, which must outlive it, scores. Errors: those of all of
 * them. */
EadStatus ead_watch_start(const EadWatchOptions *options, EadModelRegistry *models, EadWatch **out);

/* The folder, or what Aravis calls the camera. */
const char *ead_watch_source(const EadWatch *watch);

/* Whether it goes on by itself; it does until it is ended, or has no memory. */
bool ead_watch_runs(const EadWatch *watch);

/* Finishes the images in hand, tells what can be told within `seconds`, and frees it; harmless on NULL. Errors: what ended it. */
EadStatus ead_watch_end(EadWatch *watch, double seconds);
