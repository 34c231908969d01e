/* What fits made of several PatchCores ask of one, beside its row in train/fits.def. state: that row's. */
#pragma once

#include "models/patchcore/patchcore.h"

#include <stddef.h>

/* Bytes: what the fit will keep, its bank, what it takes besides while it fills it, what a
 * detector takes besides, and of the bank in a file. */
typedef struct EadPatchcoreNeed {
    size_t kept, besides, detector, stored;
} EadPatchcoreNeed;

/* From the lists of images, before any is read. */
EadPatchcoreNeed ead_patchcore_fit_need(const void *state);

/* Goes on from a finished model: takes its bank over, and adds the images of patchcore.add that are new. file: of it,
 * for messages. Errors: EAD_BAD_FILE if its backbone or width is another; those of filling a bank. */
EadStatus ead_patchcore_fit_adopt(void *state, EadPatchcore *read, const char *file);
