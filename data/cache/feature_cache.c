/* Header, records and completion of the feature cache. */
#include "data/cache/feature_cache.h"

#include "core/base/atomic_file.h"
#include "core/base/file_bytes.h"
#include "core/base/half.h"
#include "core/base/memory.h"
#include "core/base/paths.h"
#include "core/file/output_check.h"
#include "core/system/file_lock.h"
#include "data/cache/cache_key.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The records lie in so many stretches, each filled from its start on by one rank: what of it is there, a few
 * reads tell. */
enum { PAGE = 4096, VERSION = 1, STRETCHES = 1024 };

#define MAGIC "EADFEATS"

/* The first page of the file. */
typedef struct Header {
    char magic[8];
    uint64_t version, key, count, pixel_bytes, features;
} Header;

struct EadFeatureCache {
    EadFeatureCacheSpec spec;
    EadPath path, partial;
    int descriptor;
    int filled;            /* when it was opened */
    int *missing, to_fill; /* of this rank */
    uint8_t *record;       /* being written; NULL: the file is complete */
    EadFileLock lock;      /* of who fills it, for all ranks */
};

static size_t record_bytes(const EadFeatureCacheSpec *spec) {
    return spec->pixel_bytes + (size_t)spec->features * sizeof(uint16_t) + sizeof(uint64_t);
}

uint64_t ead_feature_cache_bytes(const EadFeatureCacheSpec *spec) {
    return PAGE + (uint64_t)spec->count * record_bytes(spec);
}

static off_t record_offset(const EadFeatureCacheSpec *spec, int index) {
    return (off_t)PAGE + (off_t)record_bytes(spec) * index;
}

static Header header_of(const EadFeatureCacheSpec *spec) {
    Header header = {
        "", VERSION, spec->key, (uint64_t)spec->count, spec->pixel_bytes, (uint64_t)spec->features};
    memcpy(header.magic, MAGIC, sizeof header.magic);
    return header;
}

static EadStatus fail(const char *path, const char *what) {
    return ead_fail(EAD_IO, "%s: cannot %s: %s", path, what, strerror(errno));
}

/* Opens an existing file with this header; the number of whole records in it, or -1 (and no open file). */
static int open_existing(EadFeatureCache *cache, const char *path, int flags) {
    Header wanted = header_of(&cache->spec), header;
    struct stat info;
    cache->descriptor = open(path, flags | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    if (cache->descriptor < 0) return -1;
    bool same = ead_read_at(cache->descriptor, &header, sizeof header, 0) &&
                memcmp(&header, &wanted, sizeof header) == 0 && fstat(cache->descriptor, &info) == 0 &&
                info.st_size >= PAGE && (uint64_t)info.st_size <= ead_feature_cache_bytes(&cache->spec);
    if (same) return (int)((size_t)(info.st_size - PAGE) / record_bytes(&cache->spec));
    close(cache->descriptor);
    cache->descriptor = -1;
    return -1;
}

/* What will be replaced must be a cache of features, of whatever images, or nothing. */
static EadStatus check_replaceable(const char *path) {
    char magic[sizeof((Header *)0)->magic];
    struct stat info;
    int descriptor = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    if (descriptor < 0 && errno == ENOENT) return EAD_OK;
    bool ours = descriptor >= 0 && fstat(descriptor, &info) == 0 && S_ISREG(info.st_mode) &&
                (info.st_size == 0 || (ead_read_at(descriptor, magic, sizeof magic, 0) &&
                                       memcmp(magic, MAGIC, sizeof magic) == 0));
    if (descriptor >= 0) close(descriptor);
    return ours ? EAD_OK
                : ead_fail(EAD_IO,
                           "%s: is not a cache of features, and stays; move it away, or name another folder",
                           path);
}

/* Begins the partial file anew. */
static EadStatus begin_file(EadFeatureCache *cache) {
    Header header = header_of(&cache->spec);
    uint8_t page[PAGE] = {0};
    EAD_TRY(check_replaceable(cache->path));
    EAD_TRY(check_replaceable(cache->partial));
    memcpy(page, &header, sizeof header);
    cache->descriptor = open(cache->partial, O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0666);
    if (cache->descriptor < 0 || !ead_write_at(cache->descriptor, page, sizeof page, 0))
        return fail(cache->partial, "write");
    return EAD_OK;
}

static EadStatus get_record(EadFeatureCache *cache) {
    cache->record = ead_new((int64_t)record_bytes(&cache->spec), 1, cache->path);
    return cache->record ? EAD_OK : EAD_NO_MEMORY;
}

static bool open_complete(EadFeatureCache *cache) {
    if (open_existing(cache, cache->path, O_RDONLY) == cache->spec.count) return true;
    if (cache->descriptor >= 0) close(cache->descriptor); /* complete by name but cut: made anew */
    cache->descriptor = -1;
    return false;
}

/* The complete file, else, locked, the partial one, else a new one with nothing but its header: as one
 * process alone, or the rank that leads. */
static EadStatus open_file(EadFeatureCache *cache) {
    EadPath lock;
    if (open_complete(cache)) return EAD_OK;
    if (snprintf(lock, sizeof lock, "%s.lock", cache->path) >= EAD_PATH_SIZE)
        return ead_fail(EAD_BAD_ARGUMENT, "%.200s: is too long a name for a cache", cache->path);
    EAD_TRY(ead_file_lock_take(lock, cache->path, &cache->lock));
    if (open_complete(cache)) { /* another process may just have completed it */
        ead_file_lock_release(&cache->lock);
        return EAD_OK;
    }
    int there = open_existing(cache, cache->partial, O_RDWR);
    if (there < 0) EAD_TRY(begin_file(cache));
    uint64_t bytes = (uint64_t)record_offset(&cache->spec, there > 0 ? there : 0);
    EAD_TRY(ead_check_room(cache->path, ead_feature_cache_bytes(&cache->spec) - bytes, cache->spec.beside));
    return get_record(cache);
}

/* The file that the rank which leads has opened. */
static EadStatus follow(EadFeatureCache *cache, bool complete) {
    if (complete && open_complete(cache)) return EAD_OK;
    if (!complete && open_existing(cache, cache->partial, O_RDWR) >= 0) return get_record(cache);
    return ead_fail(EAD_IO,
                    "%s: rank 0 sees it and this rank does not; its folder must be one that all ranks share",
                    complete ? cache->path : cache->partial);
}

/* ---- what is missing ---- */

static bool is_there(const EadFeatureCache *cache, int index) {
    uint64_t sum;
    off_t end = record_offset(&cache->spec, index + 1);
    return ead_read_at(cache->descriptor, &sum, sizeof sum, end - (off_t)sizeof sum) && sum != 0;
}

static int stretch_start(const EadFeatureCache *cache, int stretch) {
    return (int)((int64_t)cache->spec.count * stretch / STRETCHES);
}

/* The first record of a stretch that is missing, or its end. */
static int first_missing(const EadFeatureCache *cache, int stretch) {
    int low = stretch_start(cache, stretch), high = stretch_start(cache, stretch + 1);
    if (low == high || is_there(cache, high - 1)) return high;
    while (low < high) {
        int middle = low + (high - low) / 2;
        if (is_there(cache, middle))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static EadStatus list_missing(EadFeatureCache *cache) {
    EadShare share = ead_ranks_share(cache->spec.ranks, STRETCHES);
    cache->missing = ead_new(cache->spec.count, sizeof *cache->missing, cache->path);
    if (!cache->missing) return EAD_NO_MEMORY;
    for (int s = share.first; s < share.first + share.count; s++)
        for (int i = first_missing(cache, s); i < stretch_start(cache, s + 1); i++)
            cache->missing[cache->to_fill++] = i;
    return EAD_OK;
}

/* As all ranks do: one after the other where it matters. */
static EadStatus open_together(EadFeatureCache *cache) {
    const EadRanks *ranks = cache->spec.ranks;
    EAD_TRY(ead_ranks_agree(ranks, ead_ranks_leads(ranks) ? open_file(cache) : EAD_OK));
    bool complete = !ead_ranks_any(ranks, cache->record != NULL);
    EadStatus status = ead_ranks_leads(ranks) ? EAD_OK : follow(cache, complete);
    if (status == EAD_OK && !complete) status = list_missing(cache);
    EAD_TRY(ead_ranks_agree(ranks, status));
    double missing = cache->to_fill;
    if (ranks) ranks->sum_doubles(ranks, &missing, 1);
    cache->filled = cache->spec.count - (int)missing;
    return EAD_OK;
}

/* ---- the cache ---- */

EadStatus ead_feature_cache_open(const EadFeatureCacheSpec *spec, EadFeatureCache **out) {
    *out = NULL;
    EadFeatureCache *cache = ead_new(1, sizeof *cache, spec->path);
    if (!cache) return EAD_NO_MEMORY;
    cache->spec = *spec;
    cache->descriptor = -1;
    EadStatus status = ead_path_in(cache->path, "", spec->path);
    if (status == EAD_OK &&
        snprintf(cache->partial, EAD_PATH_SIZE, "%s.partial", spec->path) >= EAD_PATH_SIZE)
        status = ead_fail(EAD_BAD_ARGUMENT, "%.200s: is too long a name for a cache", spec->path);
    if (status == EAD_OK) status = open_together(cache);
    *out = status == EAD_OK ? cache : NULL;
    if (status != EAD_OK) ead_feature_cache_close(cache);
    return status;
}

bool ead_feature_cache_complete(const EadFeatureCache *cache) {
    return !cache->record;
}

int ead_feature_cache_filled(const EadFeatureCache *cache) {
    return cache->filled;
}

const int *ead_feature_cache_missing(const EadFeatureCache *cache, int *count) {
    *count = cache->to_fill;
    return cache->missing;
}

static uint64_t checksum(const EadFeatureCache *cache, int index, const uint8_t *pixels, const void *halves) {
    uint64_t hash = ead_cache_checksum((uint64_t)index, pixels, cache->spec.pixel_bytes);
    return ead_cache_checksum(hash, halves, (size_t)cache->spec.features * sizeof(uint16_t));
}

EadStatus ead_feature_cache_write(EadFeatureCache *cache, int index, const uint8_t *pixels,
                                  const float *features) {
    const EadFeatureCacheSpec *spec = &cache->spec;
    uint8_t *halves = cache->record + spec->pixel_bytes;
    memcpy(cache->record, pixels, spec->pixel_bytes);
    for (int64_t i = 0; i < spec->features; i++) {
        uint16_t half = ead_half_from_float(features[i]);
        if ((half & 0x7C00u) == 0x7C00u)
            return ead_fail(
                EAD_BAD_ARGUMENT,
                "%s: feature %lld of image %d is %g, which half precision cannot hold; use no cache",
                cache->path, (long long)i, index, (double)features[i]);
        memcpy(halves + (size_t)i * sizeof half, &half, sizeof half);
    }
    uint64_t sum = checksum(cache, index, cache->record, halves);
    memcpy(halves + (size_t)spec->features * sizeof(uint16_t), &sum, sizeof sum);
    bool written =
        ead_write_at(cache->descriptor, cache->record, record_bytes(spec), record_offset(spec, index));
    return written ? EAD_OK : fail(cache->partial, "write");
}

static EadStatus give_name(EadFeatureCache *cache) {
    bool named = rename(cache->partial, cache->path) == 0;
    EadStatus status = named ? ead_sync_folder_of(cache->path) : fail(cache->partial, "complete");
    ead_file_lock_release(&cache->lock);
    return status;
}

/* What other machines wrote is sure to be seen in a file that is opened afterwards. */
EadStatus ead_feature_cache_finish(EadFeatureCache *cache, EadStatus status) {
    const EadRanks *ranks = cache->spec.ranks;
    if (status == EAD_OK && fsync(cache->descriptor) != 0) status = fail(cache->partial, "complete");
    EAD_TRY(ead_ranks_agree(ranks, status));
    EAD_TRY(ead_ranks_agree(ranks, ead_ranks_leads(ranks) ? give_name(cache) : EAD_OK));
    free(cache->record);
    cache->record = NULL;
    if (!ranks) return EAD_OK;
    close(cache->descriptor);
    cache->descriptor = -1;
    return follow(cache, true);
}

EadStatus ead_feature_cache_read(const EadFeatureCache *cache, int index, uint8_t *pixels,
                                 uint16_t *features) {
    const EadFeatureCacheSpec *spec = &cache->spec;
    size_t size = (size_t)spec->features * sizeof *features;
    off_t at = record_offset(spec, index);
    uint64_t sum;
    if (!ead_read_at(cache->descriptor, pixels, spec->pixel_bytes, at) ||
        !ead_read_at(cache->descriptor, features, size, at + (off_t)spec->pixel_bytes) ||
        !ead_read_at(cache->descriptor, &sum, sizeof sum, at + (off_t)(spec->pixel_bytes + size)))
        return fail(cache->path, "read");
    if (sum == checksum(cache, index, pixels, features)) return EAD_OK;
    return ead_fail(EAD_BAD_FILE, "%s: record %d is damaged; delete the file, it will be made again",
                    cache->path, index);
}

void ead_feature_cache_close(EadFeatureCache *cache) {
    if (!cache) return;
    if (cache->descriptor >= 0) close(cache->descriptor);
    ead_file_lock_release(&cache->lock);
    free(cache->record);
    free(cache->missing);
    free(cache);
}
