/* A ring of slots that worker threads fill ahead of the thread that reads them: the training loop, the cache
 * of images. What a slot holds depends on its step alone, never on which thread filled it or when: the same
 * seed gives the same run. */
#pragma once

#include "core/base/status.h"

#include <stddef.h>
#include <stdint.h>

/* Fills a slot for a step. Called by several threads at once, for different steps. */
typedef EadStatus EadLoaderFill(void *context, uint64_t step, uint8_t *slot);

typedef struct EadLoaderSpec {
    size_t slot_bytes;   /* >= 1 */
    int slots;           /* how many steps ahead, >= 1 */
    int threads;         /* >= 1; 0 means one a processor */
    uint64_t first_step; /* the step of the first slot; a resumed run begins where it stopped */
    EadLoaderFill *fill;
    void *context; /* fill's; must live until the loader is closed */
} EadLoaderSpec;

typedef struct EadLoader EadLoader;

/* Allocates all slots (64-byte aligned) and starts the threads, which begin to fill at once.
 * Errors: EAD_BAD_ARGUMENT, EAD_NO_MEMORY. */
EadStatus ead_loader_open(const EadLoaderSpec *spec, EadLoader **out);

/* Waits for the next step's slot, in order: first_step, first_step + 1, … The slot is the caller's until
 * ead_loader_release(); without a release in between the same slot is returned again. Only one thread may
 * call this. Errors: the status and message with which fill failed at that step, and again at every later
 * call. */
EadStatus ead_loader_next(EadLoader *loader, const uint8_t **slot);

/* Gives the slot last returned back to be filled anew, and moves on to the next step. */
void ead_loader_release(EadLoader *loader);

/* Stops the threads once they are through with the slot in hand, and frees everything. Harmless on NULL. */
void ead_loader_close(EadLoader *loader);
