/* Header, checksums and whole reads and writes of the cache file. */
#include "data/cache/image_cache_file.h"

#include "core/base/file_bytes.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { VERSION = 2, PAGE = 4096 };

uint64_t ead_cache_checksum(uint64_t start, const uint8_t *bytes, size_t size) {
    uint64_t hash = start ^ (size * UINT64_C(0x9E3779B97F4A7C15)), word;
    for (; size >= sizeof word; size -= sizeof word, bytes += sizeof word) {
        memcpy(&word, bytes, sizeof word);
        hash = (hash ^ word) * UINT64_C(0xD6E8FEB86659FD93);
        hash ^= hash >> 32;
    }
    for (; size > 0; size--, bytes++) hash = (hash ^ *bytes) * UINT64_C(0xD6E8FEB86659FD93);
    hash ^= hash >> 29;
    return hash == EAD_CACHE_LEFT_OUT ? 0 : hash;
}

static uint8_t *put(uint8_t *to, const void *from, size_t size) {
    memcpy(to, from, size);
    return to + size;
}

enum { SOURCE_NUMBERS = 5 };

/* Name length, name, place, size and time of last change of the file that holds it. The pointer behind it, or
 * NULL if there is no such file. */
static uint8_t *put_source(uint8_t *to, const EadImageList *images, int index) {
    const EadImagePlace *place = &images->items[index];
    const char *path = ead_image_list_file(images, index);
    struct stat info;
    if (stat(path, &info) != 0) {
        ead_fail(EAD_IO, "%s: cannot read: %s", path, strerror(errno));
        return NULL;
    }
    int64_t length = (int64_t)strlen(place->name),
            rest[SOURCE_NUMBERS - 1] = {place->offset, place->size, info.st_size,
                                        (int64_t)info.st_mtim.tv_sec * 1000000000 + info.st_mtim.tv_nsec};
    to = put(to, &length, sizeof length);
    to = put(to, place->name, (size_t)length);
    return put(to, rest, sizeof rest);
}

EadStatus ead_cache_layout_make(EadCacheLayout *layout, const EadImageList *images,
                                const EadCacheSpec *spec) {
    uint32_t fixed[] = {VERSION,
                        (uint32_t)spec->mode,
                        (uint32_t)spec->width,
                        (uint32_t)spec->height,
                        spec->skipped != NULL,
                        (uint32_t)images->count};
    size_t size = 8 + sizeof fixed;
    for (int i = 0; i < images->count; i++)
        size += strlen(images->items[i].name) + SOURCE_NUMBERS * sizeof(int64_t);
    size_t head = size + ((size_t)images->count + 1) * sizeof(uint64_t);
    *layout = (EadCacheLayout){.header = malloc(size),
                               .header_size = size,
                               .image_bytes = (size_t)spec->width * (size_t)spec->height * 3,
                               .count = images->count,
                               .images = (off_t)((head + PAGE - 1) / PAGE * PAGE)};
    if (!layout->header) return ead_fail(EAD_NO_MEMORY, "no memory for a list of %d images", images->count);
    uint8_t *to = put(put(layout->header, "EADCACHE", 8), fixed, sizeof fixed);
    for (int i = 0; to && i < images->count; i++) to = put_source(to, images, i);
    if (to) return EAD_OK;
    ead_cache_layout_free(layout);
    return EAD_IO;
}

void ead_cache_layout_free(EadCacheLayout *layout) {
    free(layout->header);
    *layout = (EadCacheLayout){0};
}

static uint64_t header_checksum(const EadCacheLayout *layout, const uint64_t *checksums) {
    uint64_t hash = ead_cache_checksum(VERSION, layout->header, layout->header_size);
    return ead_cache_checksum(hash, (const uint8_t *)checksums, (size_t)layout->count * sizeof *checksums);
}

static bool matches(const EadCacheLayout *layout, int descriptor, uint64_t *checksums) {
    struct stat info;
    uint64_t checksum;
    size_t size = (size_t)layout->count * sizeof *checksums;
    off_t at = (off_t)layout->header_size,
          length = layout->images + (off_t)layout->image_bytes * layout->count;
    if (fstat(descriptor, &info) != 0 || info.st_size != length) return false;
    uint8_t *header = malloc(layout->header_size);
    bool same = header && ead_read_at(descriptor, header, layout->header_size, 0) &&
                memcmp(header, layout->header, layout->header_size) == 0 &&
                ead_read_at(descriptor, checksums, size, at) &&
                ead_read_at(descriptor, &checksum, sizeof checksum, at + (off_t)size) &&
                checksum == header_checksum(layout, checksums);
    free(header);
    return same;
}

int ead_cache_file_open(const EadCacheLayout *layout, const char *path, uint64_t *checksums) {
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (descriptor >= 0 && !matches(layout, descriptor, checksums)) {
        close(descriptor);
        descriptor = -1;
    }
    return descriptor;
}

void ead_cache_file_write_header(const EadCacheLayout *layout, const uint64_t *checksums, FILE *stream) {
    uint64_t checksum = header_checksum(layout, checksums);
    fwrite(layout->header, 1, layout->header_size, stream);
    fwrite(checksums, sizeof *checksums, (size_t)layout->count, stream);
    fwrite(&checksum, sizeof checksum, 1, stream);
}
