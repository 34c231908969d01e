/* Numbers as the machine has them: another byte order is another key. */
#include "data/cache/cache_key.h"

#include "core/base/memory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Another version where data/codec reads the same file otherwise: what was made before is made anew. */
enum { VERSION = 4, SOURCE_NUMBERS = 5 };

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

static uint8_t *put(uint8_t *to, const void *from, size_t size) {
    memcpy(to, from, size);
    return to + size;
}

EadStatus ead_cache_key(const EadImageList *images, EadCacheSettings settings, uint64_t *key) {
    uint32_t version = VERSION, count = (uint32_t)images->count;
    size_t size = 8 + sizeof version + sizeof settings + sizeof count;
    for (int i = 0; i < images->count; i++)
        size += strlen(images->items[i].name) + SOURCE_NUMBERS * sizeof(int64_t);
    uint8_t *text = ead_new((int64_t)size, 1, "a description of images"), *to = text;
    if (!text) return EAD_NO_MEMORY;
    to = put(to, "EADCACHE", 8);
    to = put(to, &version, sizeof version);
    to = put(to, &settings, sizeof settings);
    to = put(to, &count, sizeof count);
    EadStatus status = EAD_OK;
    for (int i = 0; i < images->count && status == EAD_OK; i++) {
        const EadImagePlace *place = &images->items[i];
        const char *path = ead_image_list_file(images, i);
        struct stat info;
        if (stat(path, &info) != 0) {
            status = ead_fail(EAD_IO, "%s: cannot read: %s", path, strerror(errno));
            break;
        }
        int64_t length = (int64_t)strlen(place->name),
                rest[SOURCE_NUMBERS - 1] = {place->offset, place->size, info.st_size,
                                            (int64_t)info.st_mtim.tv_sec * 1000000000 + info.st_mtim.tv_nsec};
        to = put(to, &length, sizeof length);
        to = put(to, place->name, (size_t)length);
        to = put(to, rest, sizeof rest);
    }
    *key = ead_cache_checksum(0, text, size);
    free(text);
    return status;
}
