/* What a step of DSR sees (models/dsr/dsr.h), as fill functions for a loader: training images, some of them turned, with masks of
 * Perlin noise in which codes are disturbed or a smudge lies; and photographs for the codebooks. Everything follows from (seed, step),
 * whatever the number of threads. */
#pragma once

#include "data/cache/image_cache.h"
#include "data/loader/image_draws.h"

/* The original's mask: noise above this; every other image has none. */
#define EAD_MASK_NOISE_ABOVE  0.5
#define EAD_MASK_PROBABILITY  0.5f
#define EAD_SMUDGE_MOST_CLEAR 0.8 /* of the image seen through a smudge, the most */

typedef struct EadDisturbedImages {
    const EadImageCache *train; /* EAD_FIT_RESIZE at height x width; borrowed */
    int height, width;          /* multiples of 32 */
    int batch;
    uint64_t seed;
    int codes;     /* of a book */
    double turned; /* chance that an image is turned, by up to a quarter to either side */
    double
        least_reach; /* of the codes that one may be replaced by, nearest first: a share between this and 1 ... */
    double spared; /* ... but for so many of the nearest, a share, too, below least_reach */
} EadDisturbedImages;

/* An EadLoaderFill; context is a const EadDisturbedImages. The slot: images U8 [batch][height][width][3]; then in real
 * ranks of coarse codes [2 batch][height/8][width/8], of fine ones [batch][height/4][width/4], targets [batch][height][width], 1
 * where codes are disturbed. With probability 1/2 both levels are, else one of them; the fine codes follow the disturbed coarse ones
 * where both are. Image b of 1-based step is draw d = (step - 1) batch + b: image number d of the sequence by
 * EAD_STREAM_TRAIN_ORDER; all else is drawn from blocks d 2^20 .. of EAD_STREAM_DISTURBANCE. Errors: those of
 * ead_image_cache_read(). */
EadStatus ead_disturbed_images_fill(void *context, uint64_t step, uint8_t *slot);

/* An EadLoaderFill with the same context. The slot: images U8, with a smudge of one colour in the mask, targets in real. Draw d takes
 * blocks 2^62 + d 2^20 .. of that stream. */
EadStatus ead_smudged_images_fill(void *context, uint64_t step, uint8_t *slot);

/* Photographs, batch of them a step. */
typedef struct EadPhotographBatch {
    EadImageDraws *photographs; /* borrowed */
    int batch;
    uint64_t seed;
} EadPhotographBatch;

/* An EadLoaderFill; context is a const EadPhotographBatch, the slot U8 [batch][height][width][3]. Photograph b of 1-based step is number
 * (step - 1) batch + b of the sequence by EAD_STREAM_DISTILL_ORDER. Errors: those of ead_image_draws_read(). */
EadStatus ead_photograph_batch_fill(void *context, uint64_t step, uint8_t *slot);
