/* What a cache was made from, as one number: a cache file with another key is made anew. */
#pragma once

#include "core/image/region.h"
#include "data/source/image_list.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct EadCacheSettings {
    uint32_t mode, width, height; /* how images are brought to size */
    uint32_t levels;              /* ead_cache_levels_key(); 0: as files say */
    uint64_t region;              /* ead_cache_region_key(); 0: the whole images */
} EadCacheSettings;

/* How samples of more than 8 bits are read. */
uint32_t ead_cache_levels_key(const EadImageRules *rules);

/* A hash of a region of images; 0 of the whole. */
uint64_t ead_cache_region_key(const EadRegion *region);

/* A hash of the settings alone. */
uint64_t ead_cache_settings_key(EadCacheSettings settings);

/* A hash of one source: its name, place, and the size and time of last change of its file. False, with errno, for a
 * file that is missing. */
bool ead_cache_source_key(const EadImageList *images, int index, uint64_t *key);

/* A hash of the settings and of each source: its name, place, and the size and time of last change of its
 * file. Errors: EAD_IO naming the source that is missing. */
EadStatus ead_cache_key(const EadImageList *images, EadCacheSettings settings, uint64_t *key);

/* A 64-bit checksum of bytes, for damage and not against malice; never UINT64_MAX. start: what came before,
 * or any number. */
uint64_t ead_cache_checksum(uint64_t start, const void *bytes, size_t size);
