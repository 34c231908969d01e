/* Images as they arrive in a folder, in order: each once it is whole. That it is tell, in this order: the kernel, when a writer closes it or
 * it is moved in; of what is found by a search (at the start, after lost events) that nobody has it open for writing; where that
 * cannot be told, that it has not changed for two seconds; with polling, as network shares need it, that two searches found it the same.
 * Names that begin with a dot, and names without the ending of an image, are left alone; empty files get ten seconds.
 *
 * Order: as they were closed or moved in, over all subfolders; what a search finds, by the time of its last change, then by name. */
#pragma once

#include "core/base/string_list.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct EadArrivalOptions {
    const char *folder;
    bool recursive; /* with its subfolders, hidden ones and links left aside */
    double poll;    /* seconds between two searches; 0: the kernel tells */
} EadArrivalOptions;

typedef struct EadArrival {
    char *path;              /* owned */
    const char *below;       /* its part below the folder */
    int64_t bytes, modified; /* ns since 1970 */
    double seen;             /* when it was found to be whole; ead_clock_seconds() */
} EadArrival;

typedef struct EadArrivals EadArrivals;

/* Looks through the folder. Errors: EAD_IO, EAD_NO_MEMORY. */
EadStatus ead_arrivals_open(const EadArrivalOptions *options, EadArrivals **out);
void ead_arrivals_close(EadArrivals *arrivals); /* harmless on NULL */

/* Before the first ead_arrivals_next(): nothing that is there needs work. Calls see() for each, of which path, bytes and modified are set. */
void ead_arrivals_pass_over(EadArrivals *arrivals, void (*see)(void *context, const EadArrival *arrival),
                            void *context);

/* Likewise, of one alone: a file with these properties, if it is there, needs no more work. Gives whether it is there. */
bool ead_arrivals_known(EadArrivals *arrivals, const char *path, int64_t bytes, const char *modified);

/* Waits for the next image; *found is false after ead_arrivals_stop(). What goes wrong meanwhile (a folder that is away) is told
 * on stderr, and tried again. One thread at a time. Errors: EAD_NO_MEMORY. */
EadStatus ead_arrivals_next(EadArrivals *arrivals, EadArrival *arrival, bool *found);

/* From any thread: an arrival had changed when it was to be read, so it is waited for again; it has gone from its place. */
void ead_arrivals_again(EadArrivals *arrivals, const EadArrival *arrival);
void ead_arrivals_gone(EadArrivals *arrivals, const EadArrival *arrival);

/* From any thread. */
void ead_arrivals_stop(EadArrivals *arrivals);
