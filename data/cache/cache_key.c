/* Numbers as the machine has them: another byte order is another key. */
#include "data/cache/cache_key.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

/* Another version where data/codec reads the same file otherwise: what was made before is made anew. */
enum { VERSION = 5 };

uint64_t ead_cache_checksum(uint64_t start, const void *data, size_t size) {
    const uint8_t *bytes = data;
    uint64_t hash = start ^ (size * UINT64_C(0x9E3779B97F4A7C15)), word;
    for (; size >= sizeof word; size -= sizeof word, bytes += sizeof word) {
        memcpy(&word, bytes, sizeof word);
        hash = (hash ^ word) * UINT64_C(0xD6E8FEB86659FD93);
        hash ^= hash >> 32;
    }
    for (; size > 0; size--, bytes++) hash = (hash ^ *bytes) * UINT64_C(0xD6E8FEB86659FD93);
    hash ^= hash >> 29;
    return hash == UINT64_MAX ? 0 : hash;
}

uint32_t ead_cache_levels_key(const EadImageRules *rules) {
    return (uint32_t)rules->bits | (uint32_t)rules->white << 8;
}

uint64_t ead_cache_region_key(const EadRegion *region) {
    if (!region || ead_region_is_whole(region)) return 0;
    const int numbers[] = {region->x,           region->y,           region->width,
                           region->height,      region->image_width, region->image_height,
                           region->mask_height, region->mask_width};
    uint64_t key = ead_cache_checksum(1, numbers, sizeof numbers);
    size_t pixels = (size_t)region->mask_width * (size_t)region->mask_height;
    return region->mask ? ead_cache_checksum(key, region->mask, pixels) : key;
}

uint64_t ead_cache_settings_key(EadCacheSettings settings) {
    const uint32_t numbers[] = {settings.mode, settings.width, settings.height, settings.levels};
    uint64_t key = ead_cache_checksum(VERSION, numbers, sizeof numbers);
    return settings.region ? ead_cache_checksum(key, &settings.region, sizeof settings.region) : key;
}

bool ead_cache_source_key(const EadImageList *images, int index, uint64_t *key) {
    const EadImagePlace *place = &images->items[index];
    struct stat info;
    if (stat(ead_image_list_file(images, index), &info) != 0) return false;
    const int64_t numbers[] = {place->offset, place->size, info.st_size,
                               (int64_t)info.st_mtim.tv_sec * 1000000000 + info.st_mtim.tv_nsec};
    *key =
        ead_cache_checksum(ead_cache_checksum(0, place->name, strlen(place->name)), numbers, sizeof numbers);
    return true;
}

EadStatus ead_cache_key(const EadImageList *images, EadCacheSettings settings, uint64_t *key) {
    *key = ead_cache_checksum(ead_cache_settings_key(settings), &images->count, sizeof images->count);
    for (int i = 0; i < images->count; i++) {
        uint64_t source;
        if (!ead_cache_source_key(images, i, &source))
            return ead_fail(EAD_IO, "%s: cannot read: %s", ead_image_list_file(images, i), strerror(errno));
        *key = ead_cache_checksum(*key, &source, sizeof source);
    }
    return EAD_OK;
}
