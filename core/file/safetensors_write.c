/* Writing .safetensors: collect names, shapes and borrowed data, then write header and data in one go. The
 * bytes depend on nothing but the calls, so equal trainings give equal files. */
#include "core/file/safetensors.h"
#include "core/base/atomic_file.h"
#include "core/base/memory.h"
#include "core/file/output_check.h"

#include <assert.h>
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct Entry {
    char *name;
    EadFileType type;
    int dims;
    int64_t shape[EAD_FILE_MAX_DIMS];
    const void *data;
    size_t bytes, offset;
} Entry;

/* Memory handed out for values that are made for the file. */
typedef struct DataBlock {
    struct DataBlock *next;
    double values[]; /* aligned for every type */
} DataBlock;

struct EadSafetensorsWriter {
    json_t *metadata;
    DataBlock *blocks;
    Entry *entries;
    int count, capacity;
    size_t data_size;
    size_t data_start; /* in the file, once the header is written */
};

EadStatus ead_safetensors_writer_new(EadSafetensorsWriter **out) {
    *out = calloc(1, sizeof **out);
    if (*out && ((*out)->metadata = json_object())) return EAD_OK;
    free(*out);
    *out = NULL;
    return ead_fail(EAD_NO_MEMORY, "no memory for a .safetensors file to write");
}

void ead_safetensors_writer_free(EadSafetensorsWriter *writer) {
    if (!writer) return;
    for (int i = 0; i < writer->count; i++) free(writer->entries[i].name);
    free(writer->entries);
    for (DataBlock *block = writer->blocks, *next; block; block = next) {
        next = block->next;
        free(block);
    }
    json_decref(writer->metadata);
    free(writer);
}

void *ead_safetensors_writer_memory(EadSafetensorsWriter *writer, size_t bytes) {
    DataBlock *block = ead_new(1, sizeof *block + bytes, "a .safetensors file to write");
    if (!block) return NULL;
    block->next = writer->blocks;
    writer->blocks = block;
    return block->values;
}

EadStatus ead_safetensors_writer_metadata(EadSafetensorsWriter *writer, const char *key, const char *value) {
    errno = 0;
    if (json_object_set_new(writer->metadata, key, json_string(value)) == 0) return EAD_OK;
    if (errno == ENOMEM) return ead_fail(EAD_NO_MEMORY, "metadata '%.200s': no memory to keep it", key);
    return ead_fail(EAD_BAD_ARGUMENT, "metadata '%.200s': key or value is not UTF-8", key);
}

EadStatus ead_safetensors_writer_tensor(EadSafetensorsWriter *writer, const char *name, EadFileType type,
                                        int dims, const int64_t *shape, const void *data) {
    Entry entry = {.type = type, .dims = dims, .data = data};
    int64_t count;
    if (!ead_file_name_valid(name))
        return ead_fail(EAD_BAD_ARGUMENT,
                        "'%.200s' cannot name a tensor: empty, reserved or with control characters", name);
    for (int i = 0; i < writer->count; i++)
        if (strcmp(writer->entries[i].name, name) == 0)
            return ead_fail(EAD_BAD_ARGUMENT, "tensor '%.200s' is there already; names must differ", name);
    if (!ead_file_shape_size(type, dims, shape, &count, &entry.bytes) ||
        entry.bytes > (size_t)INT64_MAX - writer->data_size)
        return ead_fail(EAD_BAD_SHAPE,
                        "tensor '%.200s': %d dimensions (0..%d), a negative size or an overflow", name, dims,
                        EAD_FILE_MAX_DIMS);
    EAD_TRY(ead_grow(&writer->entries, &writer->capacity, writer->count, sizeof *writer->entries,
                     "tensors to write"));
    if (!(entry.name = ead_strdup(name))) return EAD_NO_MEMORY;
    if (dims > 0) memcpy(entry.shape, shape, (size_t)dims * sizeof *shape);
    writer->entries[writer->count++] = entry;
    writer->data_size += entry.bytes;
    return EAD_OK;
}

/* Widest elements first: then every tensor begins at a multiple of its element size. */
static void place_tensors(EadSafetensorsWriter *writer) {
    size_t offset = 0;
    for (size_t size = 8; size > 0; size /= 2) {
        for (int i = 0; i < writer->count; i++) {
            Entry *entry = &writer->entries[i];
            if (ead_file_type_size(entry->type) != size) continue;
            entry->offset = offset;
            offset += entry->bytes;
        }
    }
}

/* NULL when memory runs out; jansson's setters pass a NULL value on as their own failure. */
static json_t *describe(const Entry *entry) {
    json_t *shape = json_array();
    bool failed = !shape;
    for (int i = 0; i < entry->dims && !failed; i++)
        failed = json_array_append_new(shape, json_integer(entry->shape[i])) != 0;
    json_t *object = failed ? NULL
                            : json_pack("{s:s, s:O, s:[I,I]}", "dtype", ead_file_type_name(entry->type),
                                        "shape", shape, "data_offsets", (json_int_t)entry->offset,
                                        (json_int_t)(entry->offset + entry->bytes));
    json_decref(shape);
    return object;
}

/* The header's JSON, to be freed by the caller; NULL if a name is not UTF-8 or memory runs out. */
static char *dump_header(const EadSafetensorsWriter *writer) {
    char *text = NULL;
    json_t *header = json_object();
    if (!header) return NULL;
    if (json_object_size(writer->metadata) > 0 &&
        json_object_set(header, "__metadata__", writer->metadata) != 0)
        goto done;
    for (int i = 0; i < writer->count; i++)
        if (json_object_set_new(header, writer->entries[i].name, describe(&writer->entries[i])) != 0)
            goto done;
    errno = 0;
    text = json_dumps(header, JSON_COMPACT);
    if (errno == ENOMEM) { /* jansson leaves out keys that it has no room for */
        free(text);
        text = NULL;
    }
done:
    json_decref(header);
    return text;
}

/* True if every byte went out. Spaces bring the data part to a multiple of 8. */
static bool write_header(FILE *stream, const char *text) {
    size_t length = strlen(text), padding = -length % 8;
    uint64_t total = length + padding;
    return fwrite(&total, sizeof total, 1, stream) == 1 && fwrite(text, 1, length, stream) == length &&
           fwrite("        ", 1, padding, stream) == padding;
}

/* In the order of place_tensors(); leaves room for tensors without data. */
static bool write_data(FILE *stream, const EadSafetensorsWriter *writer) {
    bool holes = false;
    for (size_t size = 8; size > 0; size /= 2) {
        for (int i = 0; i < writer->count; i++) {
            const Entry *entry = &writer->entries[i];
            if (ead_file_type_size(entry->type) != size || entry->bytes == 0) continue;
            if (entry->data ? fwrite(entry->data, 1, entry->bytes, stream) != entry->bytes
                            : fseeko(stream, (off_t)entry->bytes, SEEK_CUR) != 0)
                return false;
            holes = holes || !entry->data;
        }
    }
    off_t size = (off_t)(writer->data_start + writer->data_size);
    return !holes || (fflush(stream) == 0 && ftruncate(fileno(stream), size) == 0);
}

EadStatus ead_safetensors_writer_begin(EadSafetensorsWriter *writer, const char *path, EadAtomicFile *file) {
    place_tensors(writer);
    errno = 0;
    char *header = dump_header(writer);
    if (!header && errno == ENOMEM) return ead_fail(EAD_NO_MEMORY, "%s: no memory for its header", path);
    if (!header) return ead_fail(EAD_BAD_ARGUMENT, "%s: no header: a tensor's name is not UTF-8", path);
    EadStatus status = EAD_OK;
    writer->data_start = (8 + strlen(header) + 7) / 8 * 8;
    if (strlen(header) + 8 > EAD_FILE_MAX_HEADER)
        status = ead_fail(EAD_BAD_ARGUMENT,
                          "%s: its header of %zu bytes is over the format's limit of %d; store less "
                          "metadata",
                          path, strlen(header), EAD_FILE_MAX_HEADER);
    else
        status = ead_check_room(path, writer->data_start + writer->data_size, 0);
    if (status == EAD_OK) status = ead_atomic_file_open(file, path);
    if (status == EAD_OK && !(write_header(file->stream, header) && write_data(file->stream, writer))) {
        status = ead_fail(EAD_IO, "%s: cannot write: %s", path, strerror(errno));
        ead_atomic_file_discard(file);
    }
    free(header);
    return status;
}

uint64_t ead_safetensors_writer_bytes(const EadSafetensorsWriter *writer) {
    return writer->data_size;
}

int64_t ead_safetensors_writer_offset(const EadSafetensorsWriter *writer, const char *name) {
    int i = 0;
    while (strcmp(writer->entries[i].name, name) != 0) i++;
    return (int64_t)(writer->data_start + writer->entries[i].offset);
}

EadStatus ead_safetensors_writer_write(EadSafetensorsWriter *writer, const char *path) {
    EadAtomicFile file;
    for (int i = 0; i < writer->count; i++) assert(writer->entries[i].data || writer->entries[i].bytes == 0);
    EAD_TRY(ead_safetensors_writer_begin(writer, path, &file));
    return ead_atomic_file_commit(&file);
}
