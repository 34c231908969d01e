/* Features of images computed once and kept in a file: a record an image, its pixels as a network sees them
 * and its features in half precision, with a checksum. A backbone's pass over an image costs many times what
 * a step of distillation does. The file grows record by record as "<path>.partial" and gets its name when it
 * is complete, so an interrupted filling goes on where it stopped. */
#pragma once

#include "core/base/status.h"

#include <stddef.h>
#include <stdint.h>

typedef struct EadFeatureCacheSpec {
    const char *path;   /* of the complete file; its folder must exist */
    uint64_t key;       /* a hash of all that the records depend on: another key, another cache */
    int count;          /* records, >= 1 */
    size_t pixel_bytes; /* of one image */
    int64_t features;   /* numbers an image */
} EadFeatureCacheSpec;

typedef struct EadFeatureCache EadFeatureCache;

/* Bytes of the complete file. */
uint64_t ead_feature_cache_bytes(const EadFeatureCacheSpec *spec);

/* Opens the file, complete or partial, or begins it. A file with another key or of another size is made anew; what is no
 * such file at all is not touched. Only one process at a time may fill it. Before anything is written the disk must have
 * room for all of it. Errors: EAD_BUSY; EAD_IO, with the sizes if the
 * room is missing; EAD_NO_MEMORY. */
EadStatus ead_feature_cache_open(const EadFeatureCacheSpec *spec, EadFeatureCache **out);

/* How many records there are, 0 .. count. */
int ead_feature_cache_filled(const EadFeatureCache *cache);

/* Appends the next record; the last one completes the file. Values beyond half precision become infinite and
 * are refused: EAD_BAD_ARGUMENT. Errors: EAD_IO. */
EadStatus ead_feature_cache_append(EadFeatureCache *cache, const uint8_t *pixels, const float *features);

/* Reads record `index` < filled: pixels [pixel_bytes] and features as halves. May be called by several
 * threads at once. Errors: EAD_IO; EAD_BAD_FILE if the record is damaged. */
EadStatus ead_feature_cache_read(const EadFeatureCache *cache, int index, uint8_t *pixels,
                                 uint16_t *features);

/* Harmless on NULL. */
void ead_feature_cache_close(EadFeatureCache *cache);
