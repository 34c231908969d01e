/* Images of a collection that cannot be decoded and are left out: collected while a progress line is shown,
 * told to the user when it is done with. */
#ifndef EAD_TRAIN_LEFT_OUT_H
#define EAD_TRAIN_LEFT_OUT_H

#include "data/source/damaged_images.h"
#include "data/source/file_list.h"

/* Must not move while `damaged` is in use. */
typedef struct EadSkippedImages {
    EadDamagedImages *damaged;
    EadStringList messages;
    int total;
} EadSkippedImages;

/* For a collection of `total` images (>= 1). Errors: EAD_NO_MEMORY. */
EadStatus ead_skipped_images_start(EadSkippedImages *left_out, int total);

/* Names on stderr what was left out, counts it, and frees everything. key: the config key that the collection
 * comes from. Harmless on a zeroed struct. */
void ead_skipped_images_finish(EadSkippedImages *left_out, const char *key);

#endif
