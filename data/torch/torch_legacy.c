/* Five pickles behind each other, and the places of the storages that follow. */
#include "data/torch/torch_legacy.h"

#include "core/base/file_bytes.h"
#include "core/base/memory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_HEAD = 1 << 24, VERSION = 1001 };

#define CUT "is cut short; copy or download it again"

typedef struct Place {
    EadTorchStorage storage;
    uint64_t offset; /* of its numbers; 0: not in the list of keys */
    size_t size;
} Place;

struct EadTorchLegacy {
    int descriptor; /* -1: from memory */
    const uint8_t *bytes;
    uint64_t size;
    uint8_t *head; /* what holds the pickles: at most MAX_HEAD bytes */
    size_t head_size, at;
    EadPickle *objects;
    Place *places; /* by key */
    int count, capacity;
};

/* The first pickle: the number 0x1950a86a20f9469cfc6c. */
static const uint8_t magic[] = {0x80, 2,    0x8A, 10,   0x6C, 0xFC, 0x9C, 0x46,
                                0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19, '.'};

bool ead_torch_legacy_begins(const uint8_t *bytes, size_t size) {
    return size >= sizeof magic && memcmp(bytes, magic, sizeof magic) == 0;
}

static EadStatus read_bytes(const EadTorchLegacy *file, void *out, size_t size, uint64_t offset) {
    if (offset > file->size || size > file->size - offset) return ead_fail(EAD_BAD_FILE, CUT);
    if (file->descriptor < 0)
        memcpy(out, file->bytes + offset, size);
    else if (!ead_read_at(file->descriptor, out, size, (off_t)offset))
        return ead_fail(EAD_IO, "cannot be read: %s", errno ? strerror(errno) : "it became shorter");
    return EAD_OK;
}

EadStatus ead_torch_legacy_open(int descriptor, const void *bytes, uint64_t size, EadTorchLegacy **out) {
    EadTorchLegacy *file = *out = ead_new(1, sizeof *file, "a file of torch.save");
    if (!file) {
        if (!bytes) close(descriptor);
        return EAD_NO_MEMORY;
    }
    file->descriptor = bytes ? -1 : descriptor;
    file->bytes = bytes;
    file->size = size;
    file->head_size = size < MAX_HEAD ? (size_t)size : MAX_HEAD;
    file->head = ead_new((int64_t)file->head_size, 1, "its pickles");
    EadStatus status = file->head ? read_bytes(file, file->head, file->head_size, 0) : EAD_NO_MEMORY;
    if (status == EAD_OK) return EAD_OK;
    ead_torch_legacy_close(file);
    *out = NULL;
    return status;
}

/* ---- pickles ---- */

static EadStatus next_pickle(EadTorchLegacy *file, const char *label, const char *const *calls,
                             EadPickle **out) {
    EAD_TRY(ead_pickle_parse(file->head + file->at, file->head_size - file->at, label, calls, out));
    file->at += ead_pickle_size(*out);
    return EAD_OK;
}

static EadStatus check_version(EadTorchLegacy *file) {
    static const char *const none[] = {NULL};
    EadPickle *pickle;
    EAD_TRY(next_pickle(file, "version", none, &pickle));
    const EadPickleValue *root = ead_pickle_root(pickle);
    bool known = root->kind == EAD_PICKLE_INT && root->integer == VERSION;
    ead_pickle_close(pickle);
    if (!known) return ead_fail(EAD_UNSUPPORTED, "is in no format of torch.save that is known");
    EAD_TRY(next_pickle(file, "system", none, &pickle));
    const EadPickleValue *little = ead_pickle_member(ead_pickle_root(pickle), "little_endian");
    bool fits = little && little->kind == EAD_PICKLE_BOOL && little->integer;
    ead_pickle_close(pickle);
    if (fits) return EAD_OK;
    return ead_fail(EAD_UNSUPPORTED, "its numbers are big-endian; save it again on a little-endian machine");
}

/* ---- storages ---- */

static int compare(const void *left, const void *right) {
    const Place *a = left, *b = right;
    int order = strcmp(a->storage.key, b->storage.key);
    return order ? order : (int)a->storage.type - (int)b->storage.type;
}

/* All that the objects name, once each. Classes of modules lie outside too, with their source. */
static EadStatus list_places(EadTorchLegacy *file) {
    const EadPickleValue *value;
    for (int i = 0; (value = ead_pickle_outside(file->objects, i)) != NULL; i++) {
        const EadPickleValue *parts = value->argument;
        if (parts->kind == EAD_PICKLE_TUPLE && parts->count == 4 && ead_pickle_is(parts->items[0], "module"))
            continue;
        Place place = {0};
        EAD_TRY(ead_torch_storage_read(value, &place.storage));
        EAD_TRY(ead_grow(&file->places, &file->capacity, file->count, sizeof place, "a list of storages"));
        file->places[file->count++] = place;
    }
    int kept = 0;
    if (file->count > 0) qsort(file->places, (size_t)file->count, sizeof *file->places, compare);
    for (int i = 0; i < file->count; i++)
        if (kept == 0 || strcmp(file->places[kept - 1].storage.key, file->places[i].storage.key) != 0)
            file->places[kept++] = file->places[i];
    file->count = kept;
    return EAD_OK;
}

static int compare_key(const void *key, const void *place) {
    return strcmp(key, ((const Place *)place)->storage.key);
}

static Place *find_place(const EadTorchLegacy *file, const char *key) {
    if (file->count == 0) return NULL;
    return bsearch(key, file->places, (size_t)file->count, sizeof *file->places, compare_key);
}

static EadStatus set_place(EadTorchLegacy *file, const EadPickleValue *key, uint64_t *at) {
    char name[EAD_TORCH_KEY];
    uint8_t bytes[8];
    uint64_t elements = 0;
    if (key->kind != EAD_PICKLE_TEXT || !ead_pickle_copy(key, name, sizeof name))
        return ead_torch_malformed("a malformed list of storages");
    Place *place = find_place(file, name);
    if (!place || place->offset > 0)
        return ead_torch_malformed(place ? "a storage is listed twice" : "a storage without type");
    EAD_TRY(read_bytes(file, bytes, sizeof bytes, *at));
    for (int i = 0; i < 8; i++) elements |= (uint64_t)bytes[i] << (8 * i);
    place->offset = *at + sizeof bytes;
    size_t size = ead_file_type_size(place->storage.type);
    if (elements > (file->size - place->offset) / size)
        return ead_fail(EAD_BAD_FILE, "storage %s claims %llu elements, more than the file holds; it " CUT,
                        name, (unsigned long long)elements);
    place->size = (size_t)elements * size;
    *at = place->offset + place->size;
    return EAD_OK;
}

static EadStatus set_places(EadTorchLegacy *file) {
    static const char *const none[] = {NULL};
    EadPickle *keys;
    EAD_TRY(next_pickle(file, "keys", none, &keys));
    const EadPickleValue *list = ead_pickle_root(keys);
    uint64_t at = file->at;
    EadStatus status =
        list->kind == EAD_PICKLE_LIST ? EAD_OK : ead_torch_malformed("a malformed list of storages");
    for (int i = 0; i < list->count && status == EAD_OK; i++) status = set_place(file, list->items[i], &at);
    ead_pickle_close(keys);
    return status;
}

EadStatus ead_torch_legacy_objects(EadTorchLegacy *file, const char *const *calls,
                                   const EadPickleValue **root) {
    file->at = sizeof magic;
    EAD_TRY(check_version(file));
    EAD_TRY(next_pickle(file, "objects", calls, &file->objects));
    EAD_TRY(list_places(file));
    EAD_TRY(set_places(file));
    *root = ead_pickle_root(file->objects);
    return EAD_OK;
}

EadStatus ead_torch_legacy_find(const EadTorchLegacy *file, const char *key, EadTorchRecord *out) {
    const Place *place = find_place(file, key);
    if (!place || place->offset == 0) return ead_torch_malformed("a storage is missing");
    *out = (EadTorchRecord){place->offset, place->size};
    return EAD_OK;
}

EadStatus ead_torch_legacy_read(const EadTorchLegacy *file, EadTorchRecord record, void *out) {
    return read_bytes(file, out, record.size, record.index);
}

void ead_torch_legacy_close(EadTorchLegacy *file) {
    if (!file) return;
    if (file->descriptor >= 0) close(file->descriptor);
    ead_pickle_close(file->objects);
    free(file->places);
    free(file->head);
    free(file);
}
