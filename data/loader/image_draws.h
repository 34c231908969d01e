/* Images that a training draws one by one from a collection too large to be decoded whole: each is decoded when it is
 * drawn, and kept (data/cache/record_cache.h) where it will be drawn again. */
#pragma once

#include "data/source/image_fit.h"

#include <stdio.h>

typedef struct EadImageDrawsSpec {
    const EadImageList *images; /* at least 1; borrowed until the draws are closed */
    const char *key;            /* the config key that they are the value of, for messages */
    EadImageFit fit;
    int most; /* how many of them are drawn at the most, 1 .. images->count: 1 % of these may be unusable */
    const char *file; /* where to keep images; its folder must exist; NULL: nowhere */
    uint64_t budget;  /* most bytes of the images that are kept */
} EadImageDrawsSpec;

typedef struct EadImageDraws EadImageDraws;

/* Decodes nothing yet. Without the file that it is to keep images in, which is told on stderr, it goes on. Errors:
 * EAD_BAD_SHAPE, EAD_NO_MEMORY. */
EadStatus ead_image_draws_open(const EadImageDrawsSpec *spec, EadImageDraws **out);

/* About the bytes that the file of kept images takes on the disk when so many different ones, 0 .. images->count, have been
 * drawn after ead_image_draws_try(). spec->file is not asked for. Errors: EAD_NO_MEMORY. */
EadStatus ead_image_draws_kept(const EadImageDrawsSpec *spec, double drawn, uint64_t *bytes);

/* Brings image `index` of the list to out [height][width][3]. Where it cannot be read or decoded, the next one of the list that
 * can, in a circle, stands in for it, in every run. Several threads may call it at once. Errors: those of
 * ead_skipped_images_add(). */
EadStatus ead_image_draws_read(EadImageDraws *draws, int index, uint8_t *out);

/* Decodes the first few of the list, so that a collection of which none can be decoded is found before the work. Errors:
 * the same. */
EadStatus ead_image_draws_try(EadImageDraws *draws);

/* Images in the list. */
int ead_image_draws_count(const EadImageDraws *draws);

/* Bytes of one image: height * width * 3. */
size_t ead_image_draws_bytes(const EadImageDraws *draws);

/* Writes what there is to tell of the images drawn so far: those skipped, and notes. Harmless on NULL. */
void ead_image_draws_print(const EadImageDraws *draws, FILE *stream);

/* Harmless on NULL. */
void ead_image_draws_close(EadImageDraws *draws);
