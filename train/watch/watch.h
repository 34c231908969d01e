/* efficientad watch: images that arrive in a folder are scored, noted in the journal, moved away, and told. In this order for each, so that
 * whenever the process is killed the next one finishes what it began: an image is noted once or more, and never lost. */
#pragma once

#include "train/receivers/receivers.h"
#include "train/serve/server.h"
#include "train/watch/arrivals.h"

/* Texts are borrowed. Paths are absolute, so that the next process finds its images again. */
typedef struct EadWatchOptions {
    EadArrivalOptions arrivals;
    bool score_existing; /* what is there at the first start, too */
    EadJournalOptions journal;
    EadReceiverOptions receivers;
    int threads;         /* images in hand at once */
    int64_t max_pixels;  /* of an image */
    const char *move_to; /* NULL: images stay */
    EadServer *server;   /* that shows and counts what is scored, started; NULL: none does */
    bool quiet;
} EadWatchOptions;

typedef struct EadWatch EadWatch;

/* Opens journal, folder and receivers, and begins. The first model of the registry, which must outlive it, scores. Errors: those of all of
 * them. */
EadStatus ead_watch_start(const EadWatchOptions *options, EadModelRegistry *models, EadWatch **out);

/* Whether it goes on by itself; it does until it is ended, or has no memory. */
bool ead_watch_runs(const EadWatch *watch);

/* Finishes the images in hand, tells what can be told within `seconds`, and frees it; harmless on NULL. Errors: what ended it. */
EadStatus ead_watch_end(EadWatch *watch, double seconds);
