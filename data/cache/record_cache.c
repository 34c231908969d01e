/* The file is a .safetensors file:
 *   metadata  format, inputs (a hash of the settings)
 *   owners    U64 [places, 2]: of what image the record is, and its checksum; 0: none yet
 *   records   U8 [places, record_bytes]; the bytes of places without an owner are holes
 * Image i has place i mod places, and keeps it. An owner is written after its record; whoever reads checks. */
#include "data/cache/record_cache.h"

#include "core/base/file_bytes.h"
#include "core/base/memory.h"
#include "core/file/safetensors.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FORMAT "efficientad-records/1"

enum { KEY_SIZE = 17 };

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

static EadStatus use_file(EadRecordCache *cache, const EadSafetensors *file, const char *key, bool *used) {
    const char *format = ead_safetensors_metadata(file, "format"),
               *inputs = ead_safetensors_metadata(file, "inputs");
    const EadFileTensor *owners = ead_safetensors_find(file, "owners"),
                        *records = ead_safetensors_find(file, "records");
    *used = format && strcmp(format, FORMAT) == 0 && inputs && strcmp(inputs, key) == 0 && owners &&
            records && owners->bytes == cache->places * sizeof(Owner) &&
            records->bytes == cache->places * cache->spec.record_bytes;
    if (!*used) return EAD_OK;
    cache->owners = (off_t)owners->offset;
    cache->records = (off_t)records->offset;
    return EAD_OK;
}

/* *used: whether there is a file with such records, which is open then. */
static EadStatus open_existing(EadRecordCache *cache, const char *key, bool *used) {
    EadSafetensors *file = NULL;
    const char *path = cache->spec.file;
    *used = false;
    int descriptor = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK);
    bool writes = descriptor >= 0;
    if (!writes) descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (descriptor < 0) return ead_fail(EAD_IO, "%s: cannot read: %s", path, strerror(errno));
    EadStatus status = ead_safetensors_open_header(path, &file);
    if (status == EAD_OK) status = use_file(cache, file, key, used);
    ead_safetensors_close(file);
    if (*used) {
        cache->descriptor = descriptor;
        cache->writes = writes;
    } else
        close(descriptor);
    return status;
}

static EadStatus write_file(const EadRecordCache *cache, EadSafetensorsWriter *writer, const char *key) {
    int64_t places = (int64_t)cache->places;
    EadAtomicFile file;
    EAD_TRY(ead_safetensors_writer_metadata(writer, "format", FORMAT));
    EAD_TRY(ead_safetensors_writer_metadata(writer, "inputs", key));
    EAD_TRY(ead_safetensors_writer_tensor(writer, "owners", EAD_FILE_U64, 2, (int64_t[]){places, 2}, NULL));
    EAD_TRY(ead_safetensors_writer_tensor(writer, "records", EAD_FILE_U8, 2,
                                          (int64_t[]){places, (int64_t)cache->spec.record_bytes}, NULL));
    EAD_TRY(ead_safetensors_writer_begin(writer, cache->spec.file, &file));
    return ead_atomic_file_commit(&file);
}

static EadStatus open_file(EadRecordCache *cache) {
    char key[KEY_SIZE];
    bool used;
    EadSafetensorsWriter *writer;
    snprintf(key, sizeof key, "%016llx", (unsigned long long)ead_cache_settings_key(cache->spec.settings));
    EadStatus status = open_existing(cache, key, &used);
    if (used || status == EAD_NO_MEMORY) return status;
    EAD_TRY(ead_safetensors_writer_new(&writer));
    status = write_file(cache, writer, key);
    ead_safetensors_writer_free(writer);
    if (status == EAD_OK) status = open_existing(cache, key, &used);
    if (status != EAD_OK || used) return status;
    return ead_fail(EAD_IO, "%s: was changed by another program as soon as it was written", cache->spec.file);
}

EadStatus ead_record_cache_open(const EadRecordCacheSpec *spec, EadRecordCache **out) {
    uint64_t places = spec->budget / spec->record_bytes, count = (uint64_t)spec->images->count;
    *out = NULL;
    EadRecordCache *cache = ead_new(1, sizeof *cache, "a cache of images");
    if (!cache) return EAD_NO_MEMORY;
    *cache = (EadRecordCache){.spec = *spec, .descriptor = -1, .places = places < count ? places : count};
    EadStatus status = spec->file && cache->places > 0 ? open_file(cache) : EAD_OK;
    *out = status == EAD_OK ? cache : NULL;
    if (status != EAD_OK) ead_record_cache_close(cache);
    return status;
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
