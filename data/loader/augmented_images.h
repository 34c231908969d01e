/* Training images in batches, mirrored, turned a little and changed in colour as GCAD sees them, as a fill function for a loader.
 * Everything follows from (seed, step), whatever the number of threads. */
#pragma once

#include "data/cache/image_cache.h"

typedef struct EadAugmentedImages {
    const EadImageCache *train; /* EAD_FIT_RESIZE at height x width; borrowed */
    int height, width;
    int batch;
    uint64_t seed;
    double mirrored, flipped; /* chances that an image is mirrored left to right, top to bottom */
    double turned;            /* most degrees that it is turned, to either side; 0: not at all */
    bool jitter;              /* its colours are changed by ead_color_jitter() */
} EadAugmentedImages;

/* An EadLoaderFill; context is a const EadAugmentedImages, the slot U8 [batch][height][width][3]. Image b of 1-based step is draw
 * d = (step - 1) batch + b: image number d of the sequence by EAD_STREAM_TRAIN_ORDER; words 0 to 2 of block d of
 * EAD_STREAM_DISTURBANCE say whether it is mirrored and flipped, and its angle; its colours are those of step d + 1. Errors: those of
 * ead_image_cache_read(); EAD_NO_MEMORY. */
EadStatus ead_augmented_images_fill(void *context, uint64_t step, uint8_t *slot);
