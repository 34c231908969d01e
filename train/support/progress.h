/* The progress line on stderr: what is being done, how far it is, how fast, how long it still takes. On a
 * terminal one line is rewritten; in a log file a new line is added every half minute. */
#pragma once

#include "core/base/status.h"
#include "core/system/interruption.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Filled by ead_progress_start; holds no memory. */
typedef struct EadProgress {
    const char *what;           /* borrowed: "training" */
    int64_t first, total, done; /* a resumed training starts at first > 0, which counts for no rate */
    bool quiet, terminal;
    double start, shown; /* seconds of ead_clock_seconds() */
    int columns;         /* of the terminal */
    int length;          /* of the line on the terminal */
} EadProgress;

/* Starts the clock and shows nothing yet. total may be 0 (nothing to do). quiet: never shows anything. */
void ead_progress_start(EadProgress *progress, const char *what, int64_t first, int64_t total, bool quiet);

/* Tells how far things are; cheap enough for every step, since it writes at most 5 times a second on a
 * terminal and every 30 s elsewhere. note: added at the end ("loss 1.23"), or NULL. */
void ead_progress_update(EadProgress *progress, int64_t done, const char *note);

/* Shows the last state and ends the line; to call before anything else goes to stderr, also after errors. */
void ead_progress_finish(EadProgress *progress);

/* Blanks the line on a terminal, so that something else can be printed; the next update shows it again. */
void ead_progress_clear(EadProgress *progress);

/* The line itself (without "\r"), cut to size - 1 bytes: for the functions above and the tests.
 * elapsed  seconds since the start */
void ead_progress_format(const EadProgress *progress, double elapsed, const char *note, char *line,
                         size_t size);

/* "310 ms", "12.5 s", "4.7 minutes", "35 minutes", "5.4 hours", "3.2 days", for sentences; returns text. */
enum { EAD_DURATION_SIZE = 32 };
const char *ead_duration_text(double seconds, char text[EAD_DURATION_SIZE]);

/* ---- walks ---- */

/* One piece of work after another, with a progress line, until all are done or Ctrl-C. */
typedef struct EadWalk {
    const char *what;   /* "scoring validation images" */
    int first, count;   /* pieces first .. count - 1 */
    bool quiet;         /* no progress line */
    bool (*stop)(void); /* asked after every piece; NULL: ead_interrupted() */
    const char *hint;   /* what to do after an interruption, or NULL */
} EadWalk;

/* Errors: the first of visit; EAD_INTERRUPTED, "stopped while WHAT, after N of COUNT; HINT", unless that was
 * the last piece. */
EadStatus ead_walk(const EadWalk *walk, EadStatus (*visit)(void *context, int index), void *context);

/* Pieces of a walk that are worked on side by side (core/system/ordered_work.h). */
typedef struct EadWalkWork {
    size_t piece_bytes;
    EadStatus (*begin)(void *context, int index, void *piece); /* in order, one at a time; or NULL */
    EadStatus (*work)(void *context, int index, void *piece);
    EadStatus (*deliver)(void *context, int index, void *piece,
                         EadStatus status); /* in order, one at a time */
    void (*release)(void *piece);
} EadWalkWork;

/* Errors: the first of deliver() or begin(); EAD_INTERRUPTED as above; EAD_NO_MEMORY. */
EadStatus ead_walk_side_by_side(const EadWalk *walk, const EadWalkWork *work, int threads, void *context);
