/* Pieces of work that are taken one after another, worked on side by side, and delivered in the order in which they were
 * taken: decoded, scored and written images, whose lines come in the order of the files. Each thread has one piece, so
 * that memory is bounded, and a piece is delivered as soon as it and those before it are done, also while the next one
 * is waited for. */
#pragma once

#include "core/base/status.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct EadOrderedWork {
    size_t piece_bytes; /* of a piece, zeroed before it is taken */
    /* Brings the next piece; *found false: there are no more. One thread at a time. A failure ends the taking. */
    EadStatus (*take)(void *context, void *piece, bool *found);
    /* Several threads at once. */
    EadStatus (*work)(void *context, void *piece);
    /* One thread at a time, perhaps while another takes. status: that of work(), with its message in
     * ead_error_message(). A failure ends everything: pieces behind are not delivered. */
    EadStatus (*deliver)(void *context, void *piece, EadStatus status);
    /* Frees what is in a piece, delivered or not. Or NULL. */
    void (*release)(void *piece);
    void *context;
} EadOrderedWork;

/* Works on all pieces in `threads` threads, or in the calling one where that is 1. Errors: the first of deliver(), else
 * that of take(); EAD_NO_MEMORY. */
EadStatus ead_work_in_order(const EadOrderedWork *work, int threads);
