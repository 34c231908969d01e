/* Images decoded and resized to the model's size once, instead of at every step: a JPEG takes longer to
 * decode than a GPU takes to train on it. Kept in memory, or in a file that outlives the run. */
#pragma once

#include "core/image/tiles.h"
#include "data/source/image_fit.h"

#include <stddef.h>
#include <stdint.h>

typedef struct EadCacheSpec {
    int width, height; /* pixels, >= 1 */
    const EadTiles
        *tiles; /* NULL: all are resized to that size; else each is kept as it is looked at in these tiles */
    const char *file;        /* where to keep the images; NULL means in memory; its folder must exist */
    int threads;             /* 0 means one a processor */
    const EadRegion *region; /* of the images; NULL: the whole images; must outlive the cache */
    EadImageRules rules;     /* how images are read; a cache that is there already tells its notes, too */
    /* May be NULL. Called in the opening thread whenever `done` of `total` images are ready; false stops. */
    bool (*progress)(void *context, int done, int total);
    void *context; /* progress's */
} EadCacheSpec;

typedef struct EadImageCache EadImageCache;

/* Prepares every image of the list, in its order. With tiles, one whose size cannot be found counts as of the size of a tile,
 * and is an error as any that cannot be read. An existing cache file is used if it was made of exactly these
 * sources (name, place, size, time of last change) in this size, and is whole; otherwise it is made anew and takes
 * the old one's place once complete. Where all images are gray, one channel of them is kept, which takes a third and gives the
 * same. The cache file is read with pread, so it takes no memory of the process. Errors:
 * EAD_BAD_ARGUMENT (empty list); EAD_BAD_SHAPE; those of ead_image_load() for the first image that fails; EAD_IO (a source cannot be found, the cache file not be written); EAD_INTERRUPTED
 * (progress returned false); EAD_NO_MEMORY. *out is NULL then, else to be closed with
 * ead_image_cache_close(). The list may be freed. */
EadStatus ead_image_cache_open(const EadImageList *images, const EadCacheSpec *spec, EadImageCache **out);

/* Bytes of the cache file that would be made, but for a header of some hundred; spec->file is not asked for. Whether all images are gray the first one tells.
 * Errors: those of ead_image_cache_open() but for what is wrong with single images. */
EadStatus ead_image_cache_bytes(const EadImageList *images, const EadCacheSpec *spec, uint64_t *bytes);

/* The size in which image `index` is kept. */
void ead_image_cache_size(const EadImageCache *cache, int index, int *width, int *height);

/* Copies image `index` (0 .. count-1) to out [height][width][3]. May be called by several threads at once.
 * What turns out damaged in the cache file is decoded again; only then are there errors, those of
 * ead_image_load(). */
EadStatus ead_image_cache_read(const EadImageCache *cache, int index, uint8_t *out);

/* Images in the cache, at least 1. */
int ead_image_cache_count(const EadImageCache *cache);

/* Whether all of them are gray, but for what lies outside of the region of interest. */
bool ead_image_cache_is_gray(const EadImageCache *cache);

/* Bytes of one image, with tiles of the largest: height * width * 3. */
size_t ead_image_cache_image_bytes(const EadImageCache *cache);

/* The name of image `index`, for messages; valid until the cache is closed. */
const char *ead_image_cache_name(const EadImageCache *cache, int index);

/* Harmless on NULL. */
void ead_image_cache_close(EadImageCache *cache);
