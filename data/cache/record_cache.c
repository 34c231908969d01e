/* The file is a .safetensors file:
 *   metadata  format, inputs (a hash of the settings)
 *   owners    U64 [places, 2]: of what image the record is, and its checksum; 0: none yet
 *   records   U8 [places, record_bytes]; the bytes of places without an owner are holes
 * Image i has place i mod places, and keeps it. An owner is written after its record; whoever reads checks. */
#include "data/cache/record_cache.h"

#include "core/base/file_bytes.h"
#include "core/base/memory.h"
#include "data/cache/cache_file.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct Owner {
    uint64_t image, checksum;
} Owner;

struct EadRecordCache {
    EadRecordCacheSpec spec;
    uint64_t places;
    int descriptor; /* -1: nothing is kept */
    atomic_bool writes;
    off_t owners, records; /* where they begin */
};

/* An EadCacheFile.use. */
static EadStatus use_file(void *context, const EadSafetensors *file, int descriptor, bool *used) {
    EadRecordCache *cache = context;
    const EadFileTensor *owners = ead_safetensors_find(file, "owners"),
                        *records = ead_safetensors_find(file, "records");
    *used = owners && records && owners->bytes == cache->places * sizeof(Owner) &&
            records->bytes == cache->places * cache->spec.record_bytes;
    if (!*used) return EAD_OK;
    cache->owners = (off_t)owners->offset;
    cache->records = (off_t)records->offset;
    cache->writes = (fcntl(descriptor, F_GETFL) & O_ACCMODE) == O_RDWR;
    return EAD_OK;
}

static EadStatus add_tensors(void *context, EadSafetensorsWriter *writer) {
    const EadRecordCache *cache = context;
    int64_t places = (int64_t)cache->places;
    EAD_TRY(ead_safetensors_writer_tensor(writer, "owners", EAD_FILE_U64, 2, (int64_t[]){places, 2}, NULL));
    return ead_safetensors_writer_tensor(writer, "records", EAD_FILE_U8, 2,
                                         (int64_t[]){places, (int64_t)cache->spec.record_bytes}, NULL);
}

static EadCacheFile file_of(EadRecordCache *cache) {
    return (EadCacheFile){.path = cache->spec.file,
                          .format = "efficientad-records/1",
                          .key = ead_cache_settings_key(cache->spec.settings),
                          .grows = true,
                          .use = use_file,
                          .add = add_tensors,
                          .cache = cache};
}

static EadRecordCache unopened(const EadRecordCacheSpec *spec) {
    uint64_t places = spec->budget / spec->record_bytes, count = (uint64_t)spec->images->count;
    return (EadRecordCache){.spec = *spec, .descriptor = -1, .places = places < count ? places : count};
}

EadStatus ead_record_cache_open(const EadRecordCacheSpec *spec, EadRecordCache **out) {
    *out = NULL;
    EadRecordCache *cache = ead_new(1, sizeof *cache, "a cache of images");
    if (!cache) return EAD_NO_MEMORY;
    *cache = unopened(spec);
    EadCacheFile file = file_of(cache);
    EadStatus status =
        spec->file && cache->places > 0 ? ead_cache_file_open(&file, &cache->descriptor) : EAD_OK;
    *out = status == EAD_OK ? cache : NULL;
    if (status != EAD_OK) ead_record_cache_close(cache);
    return status;
}

/* A place stays empty if none of its images is read: each is not with the chance of all. */
EadStatus ead_record_cache_bytes(const EadRecordCacheSpec *spec, double read, uint64_t *bytes) {
    EadRecordCache cache = unopened(spec);
    double count = (double)spec->images->count, places = (double)cache.places;
    *bytes = 0;
    if (cache.places == 0) return EAD_OK;
    EadCacheFile file = file_of(&cache);
    EAD_TRY(ead_cache_file_bytes(&file, bytes));
    double empty = places * pow(fmax(0, 1 - read / count), count / places);
    *bytes -= (uint64_t)empty * spec->record_bytes;
    return EAD_OK;
}

/* Never 0, which is no image. Without a file (errors are told by whoever reads it): 0. */
static uint64_t image_of(const EadRecordCache *cache, int index) {
    uint64_t key;
    return ead_cache_source_key(cache->spec.images, index, &key) ? key | 1 : 0;
}

/* A disk that is full ends the keeping, not the run. */
static void keep(EadRecordCache *cache, Owner owner, off_t at, off_t record_at, const uint8_t *record) {
    if (ead_write_at(cache->descriptor, record, cache->spec.record_bytes, record_at) &&
        ead_write_at(cache->descriptor, &owner, sizeof owner, at))
        return;
    cache->writes = false;
}

EadStatus ead_record_cache_read(EadRecordCache *cache, int index, uint8_t *record) {
    const EadRecordCacheSpec *spec = &cache->spec;
    uint64_t image = cache->descriptor >= 0 ? image_of(cache, index) : 0;
    if (image == 0) return spec->make(spec->context, index, record);
    uint64_t place = (uint64_t)index % cache->places;
    off_t at = cache->owners + (off_t)(place * sizeof(Owner)),
          record_at = cache->records + (off_t)(place * spec->record_bytes);
    Owner owner;
    bool read = ead_read_at(cache->descriptor, &owner, sizeof owner, at), own = read && owner.image == image;
    if (own && ead_read_at(cache->descriptor, record, spec->record_bytes, record_at) &&
        ead_cache_checksum(image, record, spec->record_bytes) == owner.checksum)
        return EAD_OK;
    EAD_TRY(spec->make(spec->context, index, record));
    bool free_place = read && (own || owner.image == 0 || cache->places == (uint64_t)spec->images->count);
    if (cache->writes && free_place) {
        owner = (Owner){image, ead_cache_checksum(image, record, spec->record_bytes)};
        keep(cache, owner, at, record_at, record);
    }
    return EAD_OK;
}

void ead_record_cache_close(EadRecordCache *cache) {
    if (!cache) return;
    if (cache->descriptor >= 0) close(cache->descriptor);
    free(cache);
}
