/* The images of one training step (EfficientAD, Algorithm 1), as a fill function for a loader. */
#pragma once

#include "data/cache/image_cache.h"
#include "data/loader/image_draws.h"

/* The chance that a whole image is drawn instead of a tile, where both are looked at. */
#define EAD_WHOLE_IMAGE_PROBABILITY 0.5f

/* The chance that a penalty image is turned gray. */
#define EAD_PENALTY_GRAY_PROBABILITY 0.3f

typedef struct EadTrainingImages {
    const EadImageCache *train; /* EAD_FIT_RESIZE at the model's size, or with tiles */
    EadTiles tiles;             /* of which one is drawn; size 0: images as they are kept */
    EadImageDraws
        *penalty; /* EAD_FIT_CENTER_CROP at the same size; NULL: that loss is off, or they are drawn */
    int drawn_height, drawn_width; /* penalty images are drawn at that size, the same, too; 0: they are not */
    uint64_t seed;
    bool augment; /* colour jitter for the autoencoder's image */
    /* Where in a slot of `count` images which stands; -1: it is not brought. */
    int penalty_at, train_at, augmented_at, count;
} EadTrainingImages;

/* Bytes of a slot: count times height * width * 3. Errors of mismatch are asserted, not returned. */
size_t ead_training_images_slot_bytes(const EadTrainingImages *images);

/* An EadLoaderFill; context is a const EadTrainingImages. train/efficientad/training_step.c does the same on
 * a device. Writes the slot [images][height][width][3] of 1-based step: train is image
 * ead_shuffled_index(seed, EAD_STREAM_TRAIN_ORDER, step - 1, count), penalty likewise by
 * EAD_STREAM_PENALTY_ORDER, or ead_drawn_image(seed, step), and gray where word 0 of block `step` of
 * EAD_STREAM_PENALTY_GRAY is below the probability, a tile lies where words 0 and 1 of block `step` of EAD_STREAM_TILE say, or
 * is the whole image where word 2 is below its probability, augmented a copy of train that ead_color_jitter()
 * changed. Errors: those of ead_image_cache_read() and ead_image_draws_read(). */
EadStatus ead_training_images_fill(void *context, uint64_t step, uint8_t *slot);
