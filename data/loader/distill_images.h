/* The images of a distillation step (EfficientAD, Algorithm 3), as a fill function for a loader: each for the
 * teacher and, in the same gray or colours, for the backbone at twice the size, or with the backbone's
 * features from a cache. */
#pragma once

#include "core/ranks/ranks.h"
#include "data/source/skipped_images.h"
#include "data/cache/feature_cache.h"
#include "data/source/image_list.h"

#include <stdbool.h>

/* Images are known by their position in an order shuffled by seed: the first held_out are for judging, never
 * trained on and never gray; the others for training. Where the held-out images are apart, they are the first
 * files of the list, in its order, and the others alone are shuffled. */
typedef struct EadDistillImages {
    EadImageList files;        /* owned */
    EadSkippedImages *skipped; /* of that many; NULL: the first that cannot be decoded is an error */
    int held_out;              /* 1 .. files.count - 1 */
    bool apart;                /* they are the first of the list */
    int height, width;         /* of the teacher's images */
    EadShare batch;            /* its images that this process sees */
    uint64_t seed;
    double gray;                  /* chance that a training image is turned gray */
    const EadFeatureCache *cache; /* record p belongs to position p; NULL: the backbone runs in the step */
    int64_t features;             /* numbers an image, of the cache */
} EadDistillImages;

/* Whether the image at that position is gray, where this is drawn once an image (cache, statistics): word
 * `position` of EAD_STREAM_DISTILL_GRAY is below the chance. */
bool ead_distill_gray(const EadDistillImages *images, int position);

/* Decodes the image at a position, gray or not, to the teacher's size and to the backbone's; either may be
 * NULL. Where it is skipped, the next position of the same part (held out, or not) that can be
 * decoded stands in for it. Errors: those of ead_image_load() and ead_skipped_images_add(). */
EadStatus ead_distill_load(const EadDistillImages *images, int position, bool gray, uint8_t *small,
                           uint8_t *large);

/* A hash of everything that features of these images depend on: the files and the backbone's file (path,
 * size, time of last change), sizes, order, gray, and a number of the caller's. Errors: EAD_IO for a missing
 * file, EAD_NO_MEMORY. */
EadStatus ead_distill_key(const EadDistillImages *images, const char *backbone, uint64_t variant,
                          uint64_t *key);

/* Bytes of a slot, batch being the share's count: pixels [batch][height][width][3], then features
 * [batch][features] as halves, or without cache pixels [batch][2 height][2 width][3]. */
size_t ead_distill_slot_bytes(const EadDistillImages *images);

/* An EadLoaderFill; context is a const EadDistillImages. Image b of 1-based step is number (step - 1) total +
 * first + b of the sequence by EAD_STREAM_DISTILL_ORDER over the training images, by the share of the batch.
 * Without cache it is gray by word 2^32 + that number of EAD_STREAM_DISTILL_GRAY. Errors: those of loading or
 * reading the cache. */
EadStatus ead_distill_fill(void *context, uint64_t step, uint8_t *slot);
