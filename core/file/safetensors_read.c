/* Reading .safetensors: read, check, hand out views. The header is hostile until proven
 * otherwise: jansson parses it (bounded depth, no duplicate keys, valid UTF-8 without NUL), and every tensor
 * must have a known type, a shape that agrees with its byte range, and ranges that tile the data part without
 * gap or overlap. */
#include "core/file/safetensors.h"

#include "core/base/file_bytes.h"
#include "core/base/paths.h"
#include "core/file/json_text.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HINT "; the file is damaged, export or download it again"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "tensor bytes are used as they lie in the file");

static const struct {
    const char *name;
    size_t size;
} types[EAD_FILE_TYPE_COUNT] = {
#define X(name, size) {#name, size},
    EAD_FILE_TYPE_LIST(X)
#undef X
};

const char *ead_file_type_name(EadFileType type) {
    return types[type].name;
}

size_t ead_file_type_size(EadFileType type) {
    return types[type].size;
}

bool ead_file_shape_size(EadFileType type, int dims, const int64_t *shape, int64_t *count, size_t *bytes) {
    if (dims < 0 || dims > EAD_FILE_MAX_DIMS) return false;
    int64_t product = 1, limit = INT64_MAX / (int64_t)types[type].size;
    for (int i = 0; i < dims; i++) {
        if (shape[i] < 0 || (product > 0 && shape[i] > limit / product)) return false;
        product *= shape[i];
    }
    *count = product;
    *bytes = (size_t)product * types[type].size;
    return true;
}

bool ead_file_name_valid(const char *name) {
    for (const char *c = name; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7F) return false;
    return *name && strcmp(name, "__metadata__") != 0;
}

struct EadSafetensors {
    char *path;
    void *bytes;    /* NULL if they are the caller's */
    json_t *header; /* owns the names and the metadata */
    EadFileTensor *tensors;
    bool *found; /* [count]: whether they were asked for by name */
    int count;
    EadSafetensors *beside; /* holds the last of them, or NULL */
};

enum { LENGTH = sizeof(uint64_t) }; /* bytes of the header's length, in which a file begins */

/* Where the data begins: behind the header. bytes: the first of a file of `size`, LENGTH of them if it has as
 * many. */
static EadStatus find_data(const char *bytes, size_t size, size_t *data_start) {
    uint64_t length;
    if (size < LENGTH)
        return ead_fail(EAD_BAD_FILE, "%zu bytes are too few for a .safetensors file" HINT, size);
    memcpy(&length, bytes, LENGTH);
    if (length > EAD_FILE_MAX_HEADER || length > size - LENGTH)
        return ead_fail(EAD_BAD_FILE,
                        "header of %llu bytes in a file of %zu: not .safetensors, or cut short" HINT,
                        (unsigned long long)length, size);
    *data_start = LENGTH + (size_t)length;
    return EAD_OK;
}

static EadStatus parse_header(EadSafetensors *file, const char *bytes, size_t data_start) {
    const char *text = bytes + LENGTH;
    size_t length = data_start - LENGTH;
    if (length == 0 || text[0] != '{') return ead_fail(EAD_BAD_FILE, "the header is not a JSON object" HINT);
    json_error_t error;
    EadStatus status =
        ead_json_parse("the header", text, length, JSON_REJECT_DUPLICATES, &file->header, &error);
    if (status != EAD_BAD_FILE) return status;
    return ead_fail(EAD_BAD_FILE, "the header is not valid JSON: byte %d: %s" HINT, error.position,
                    error.text);
}

static EadStatus check_metadata(const json_t *metadata) {
    if (metadata && !json_is_object(metadata))
        return ead_fail(EAD_BAD_FILE, "__metadata__ is not an object" HINT);
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)metadata, key, value) {
        if (!json_is_string(value))
            return ead_fail(EAD_BAD_FILE, "__metadata__: the value of '%.200s' is not a string" HINT, key);
    }
    return EAD_OK;
}

static EadStatus parse_shape(const json_t *entry, EadFileTensor *tensor) {
    const json_t *shape = json_object_get(entry, "shape");
    if (!json_is_array(shape)) return ead_fail(EAD_BAD_FILE, "no shape" HINT);
    if (json_array_size(shape) > EAD_FILE_MAX_DIMS)
        return ead_fail(EAD_BAD_FILE, "%zu dimensions, at most %d are possible" HINT, json_array_size(shape),
                        EAD_FILE_MAX_DIMS);
    tensor->dims = (int)json_array_size(shape);
    for (int i = 0; i < tensor->dims; i++) {
        const json_t *size = json_array_get(shape, (size_t)i);
        tensor->shape[i] = json_integer_value(size);
        if (!json_is_integer(size) || tensor->shape[i] < 0)
            return ead_fail(EAD_BAD_FILE, "shape[%d] is not a whole number from 0 on" HINT, i);
    }
    if (!ead_file_shape_size(tensor->type, tensor->dims, tensor->shape, &tensor->count, &tensor->bytes))
        return ead_fail(EAD_BAD_FILE, "the shape's size overflows" HINT);
    return EAD_OK;
}

static EadStatus parse_offsets(const json_t *entry, EadFileTensor *tensor, size_t data_size) {
    const json_t *offsets = json_object_get(entry, "data_offsets");
    const json_t *first = json_array_get(offsets, 0), *last = json_array_get(offsets, 1);
    long long begin = json_integer_value(first), end = json_integer_value(last);
    if (json_array_size(offsets) != 2 || !json_is_integer(first) || !json_is_integer(last))
        return ead_fail(EAD_BAD_FILE, "data_offsets is not a pair of whole numbers" HINT);
    if (begin < 0 || end < begin || (unsigned long long)end > data_size)
        return ead_fail(EAD_BAD_FILE, "data_offsets [%lld,%lld] are outside the %zu data bytes" HINT, begin,
                        end, data_size);
    if ((size_t)(end - begin) != tensor->bytes)
        return ead_fail(EAD_BAD_FILE, "data_offsets [%lld,%lld] hold %lld bytes, the shape needs %zu" HINT,
                        begin, end, end - begin, tensor->bytes);
    tensor->offset = (size_t)begin;
    return EAD_OK;
}

static EadStatus parse_entry(const json_t *entry, EadFileTensor *tensor, size_t data_size) {
    if (!json_is_object(entry)) return ead_fail(EAD_BAD_FILE, "its entry is not an object" HINT);
    const char *type = json_string_value(json_object_get(entry, "dtype"));
    if (!type) return ead_fail(EAD_BAD_FILE, "no dtype" HINT);
    int i = 0;
    while (i < EAD_FILE_TYPE_COUNT && strcmp(type, types[i].name) != 0) i++;
    if (i == EAD_FILE_TYPE_COUNT)
        return ead_fail(EAD_BAD_FILE, "unknown dtype '%.40s'; export it as F32", type);
    tensor->type = (EadFileType)i;
    EAD_TRY(parse_shape(entry, tensor));
    return parse_offsets(entry, tensor, data_size);
}

static EadStatus parse_tensors(EadSafetensors *file, size_t data_size) {
    file->tensors = calloc(json_object_size(file->header) + 1, sizeof *file->tensors);
    file->found = calloc(json_object_size(file->header) + 1, sizeof *file->found);
    if (!file->tensors || !file->found) return ead_fail(EAD_NO_MEMORY, "no memory for its list of tensors");
    const char *name;
    json_t *entry;
    json_object_foreach(file->header, name, entry) {
        if (strcmp(name, "__metadata__") == 0) continue;
        if (!ead_file_name_valid(name))
            return ead_fail(EAD_BAD_FILE, "a tensor's name is empty or holds control characters" HINT);
        EadFileTensor *tensor = &file->tensors[file->count++];
        tensor->name = name;
        EadStatus status = parse_entry(entry, tensor, data_size);
        if (status != EAD_OK) return ead_fail_prefix(status, "tensor '%.200s': ", name);
    }
    return EAD_OK;
}

/* By place in the file; an empty tensor comes before the one that begins where it lies. */
static int compare_offsets(const void *left, const void *right) {
    const EadFileTensor *a = left, *b = right;
    if (a->offset != b->offset) return a->offset < b->offset ? -1 : 1;
    return (a->bytes > b->bytes) - (a->bytes < b->bytes);
}

static EadStatus check_tiling(const EadSafetensors *file, size_t data_size) {
    size_t end = 0;
    for (int i = 0; i < file->count; i++) {
        const EadFileTensor *tensor = &file->tensors[i];
        size_t begin = tensor->offset;
        if (begin < end)
            return ead_fail(EAD_BAD_FILE,
                            "tensor '%.200s': data_offsets [%zu,%zu] overlap tensor '%.200s'" HINT,
                            tensor->name, begin, begin + tensor->bytes, tensor[-1].name);
        if (begin > end)
            return ead_fail(EAD_BAD_FILE,
                            "tensor '%.200s': data_offsets [%zu,%zu] leave a gap from %zu on" HINT,
                            tensor->name, begin, begin + tensor->bytes, end);
        end = begin + tensor->bytes;
    }
    if (end != data_size)
        return ead_fail(EAD_BAD_FILE, "%zu bytes after the last tensor" HINT, data_size - end);
    return EAD_OK;
}

/* bytes: at least the first data_start of a file of `size`. */
static EadStatus parse(EadSafetensors *file, const char *bytes, size_t data_start, size_t size) {
    size_t data_size = size - data_start;
    EAD_TRY(parse_header(file, bytes, data_start));
    EAD_TRY(check_metadata(json_object_get(file->header, "__metadata__")));
    EAD_TRY(parse_tensors(file, data_size));
    qsort(file->tensors, (size_t)file->count, sizeof *file->tensors, compare_offsets);
    EAD_TRY(check_tiling(file, data_size));
    for (int i = 0; i < file->count; i++) file->tensors[i].offset += data_start;
    return EAD_OK;
}

/* bytes: all of the file. */
static void give_data(EadSafetensors *file, const char *bytes) {
    for (int i = 0; i < file->count; i++) file->tensors[i].data = bytes + file->tensors[i].offset;
}

static EadStatus read_failed(void) {
    return errno ? ead_fail(EAD_IO, "cannot read: %s", strerror(errno))
                 : ead_fail(EAD_IO, "became shorter while it was read; try again");
}

/* Reads the file's bytes from `begin` on to `end`, behind those before. */
static EadStatus read_more(EadSafetensors *file, int descriptor, size_t begin, size_t end) {
    char *bytes = realloc(file->bytes, end ? end : 1);
    if (!bytes) return ead_fail(EAD_NO_MEMORY, "no memory to read %zu bytes of it", end);
    file->bytes = bytes;
    return ead_read_at(descriptor, bytes + begin, end - begin, (off_t)begin) ? EAD_OK : read_failed();
}

/* The header is read and checked first: it tells a file that only is large, and may not fit into memory. */
static EadStatus read_parts(EadSafetensors *file, int descriptor, size_t size, bool all) {
    size_t data_start = 0, start = size < LENGTH ? size : LENGTH;
    EAD_TRY(read_more(file, descriptor, 0, start));
    EAD_TRY(find_data(file->bytes, size, &data_start));
    EAD_TRY(read_more(file, descriptor, LENGTH, data_start));
    EAD_TRY(parse(file, file->bytes, data_start, size));
    if (!all) return EAD_OK;
    EAD_TRY(read_more(file, descriptor, data_start, size));
    give_data(file, file->bytes);
    return EAD_OK;
}

/* Reads, and not maps, the file: a mapped file that others make shorter ends the process. */
static EadStatus read_open_file(EadSafetensors *file, int descriptor, bool all) {
    struct stat before, after;
    if (fstat(descriptor, &before) != 0) return ead_fail(EAD_IO, "cannot open: %s", strerror(errno));
    if (!S_ISREG(before.st_mode)) return ead_fail(EAD_IO, "not a regular file; name a .safetensors file");
    EadStatus status = read_parts(file, descriptor, (size_t)before.st_size, all);
    if (status == EAD_IO || status == EAD_NO_MEMORY) return status;
    if (fstat(descriptor, &after) != 0 || after.st_size != before.st_size ||
        after.st_mtim.tv_sec != before.st_mtim.tv_sec || after.st_mtim.tv_nsec != before.st_mtim.tv_nsec)
        return ead_fail(EAD_IO, "was changed while it was read; try again");
    return status;
}

static EadStatus read_file(EadSafetensors *file, bool all) {
    int descriptor = open(file->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a pipe must not make us wait */
    if (descriptor < 0) return ead_fail(EAD_IO, "cannot open: %s", strerror(errno));
    EadStatus status = read_open_file(file, descriptor, all);
    close(descriptor);
    return status;
}

static EadStatus new_file(const char *path, EadSafetensors **out) {
    *out = calloc(1, sizeof **out);
    if (*out && ((*out)->path = strdup(path))) return EAD_OK;
    free(*out);
    *out = NULL;
    return ead_fail(EAD_NO_MEMORY, "%s: no memory to open it", path);
}

/* Closes on failure and puts the path before the message. */
static EadStatus finish(EadStatus status, EadSafetensors **out) {
    if (status == EAD_OK) return EAD_OK;
    ead_fail_prefix(status, "%s: ", (*out)->path);
    ead_safetensors_close(*out);
    *out = NULL;
    return status;
}

/* ---- tensors in the file beside it ---- */

uint64_t ead_file_tensor_hash(uint64_t before, const EadFileTensor *tensor) {
    static const uint64_t prime = UINT64_C(0x100000001B3);
    const unsigned char *bytes = tensor->data;
    size_t i = 0;
    for (uint64_t word; i + sizeof word <= tensor->bytes; i += sizeof word) {
        memcpy(&word, bytes + i, sizeof word);
        before = (before ^ word) * prime;
        before ^= before >> 29;
    }
    for (; i < tensor->bytes; i++) before = (before ^ bytes[i]) * prime;
    return before;
}

static bool has_own(const EadSafetensors *file, const char *name) {
    for (int i = 0; i < file->count; i++)
        if (strcmp(file->tensors[i].name, name) == 0) return true;
    return false;
}

/* names: of the tensors, a line each. hash: of their bytes, or NULL: these are not read. */
static EadStatus adopt(EadSafetensors *file, const char *names, uint64_t *hash) {
    int room = file->count + file->beside->count;
    EadFileTensor *tensors = realloc(file->tensors, ((size_t)room + 1) * sizeof *tensors);
    if (tensors) file->tensors = tensors;
    bool *found = realloc(file->found, ((size_t)room + 1) * sizeof *found);
    if (found) file->found = found;
    if (!tensors || !found) return ead_fail(EAD_NO_MEMORY, "no memory for its list of tensors");
    for (int i = file->count; i <= room; i++) found[i] = false;
    for (size_t length; *names; names += length + (names[length] == '\n')) {
        char name[256];
        length = strcspn(names, "\n");
        snprintf(name, sizeof name, "%.*s", length < sizeof name ? (int)length : 0, names);
        const EadFileTensor *tensor = ead_safetensors_find(file->beside, name);
        if (!tensor || has_own(file, name))
            return ead_fail(EAD_BAD_FILE, "its tensor '%s' is not in " EAD_SHARED_FILE " beside it", name);
        if (hash) *hash = ead_file_tensor_hash(*hash, tensor);
        file->tensors[file->count++] = *tensor;
    }
    return EAD_OK;
}

/* Its path; a file that is a link has it where the link leads. */
static EadStatus path_beside(const char *path, EadPath beside) {
    struct stat entry;
    EadPath folder, followed;
    bool link = lstat(path, &entry) == 0 && S_ISLNK(entry.st_mode) && ead_path_real(followed, path);
    EAD_TRY(ead_path_folder(folder, link ? followed : path));
    return ead_path_in(beside, folder, EAD_SHARED_FILE);
}

/* Opens it, too, where tensors are left to it. */
static EadStatus open_beside(EadSafetensors *file, bool all) {
    const char *names = ead_safetensors_metadata(file, EAD_SHARED_NAMES),
               *expected = ead_safetensors_metadata(file, EAD_SHARED_HASH);
    char text[24];
    EadPath path;
    uint64_t hash = 0;
    if (!names) return EAD_OK;
    EAD_TRY(path_beside(file->path, path));
    EAD_TRY(new_file(path, &file->beside));
    EadStatus status = read_file(file->beside, all);
    if (status != EAD_OK)
        return ead_fail_prefix(status, "its weights are in %s, which belongs to it: ", path);
    EAD_TRY(adopt(file, names, all ? &hash : NULL));
    snprintf(text, sizeof text, "%016llx", (unsigned long long)hash);
    if (!all || (expected && strcmp(text, expected) == 0)) return EAD_OK;
    return ead_fail(EAD_BAD_FILE,
                    "its weights are in %s, which is another file than was there; bring the one back that "
                    "belongs to it",
                    path);
}

static EadStatus open_file(const char *path, bool all, EadSafetensors **out) {
    EAD_TRY(new_file(path, out));
    EadStatus status = read_file(*out, all);
    return finish(status == EAD_OK ? open_beside(*out, all) : status, out);
}

EadStatus ead_safetensors_open(const char *path, EadSafetensors **out) {
    return open_file(path, true, out);
}

EadStatus ead_safetensors_open_header(const char *path, EadSafetensors **out) {
    return open_file(path, false, out);
}

EadStatus ead_safetensors_parse(const void *bytes, size_t size, const char *label, EadSafetensors **out) {
    size_t data_start = 0;
    EAD_TRY(new_file(label, out));
    EadStatus status = find_data(bytes, size, &data_start);
    if (status == EAD_OK) status = parse(*out, bytes, data_start, size);
    if (status == EAD_OK) give_data(*out, bytes);
    return finish(status, out);
}

void ead_safetensors_drop_data(EadSafetensors *file) {
    for (int i = 0; i < file->count; i++) file->tensors[i].data = NULL;
    free(file->bytes);
    file->bytes = NULL;
}

void ead_safetensors_close(EadSafetensors *file) {
    if (!file) return;
    ead_safetensors_close(file->beside);
    json_decref(file->header);
    free(file->bytes);
    free(file->tensors);
    free(file->found);
    free(file->path);
    free(file);
}

const char *ead_safetensors_path(const EadSafetensors *file) {
    return file->path;
}

int ead_safetensors_count(const EadSafetensors *file) {
    return file->count;
}

const EadFileTensor *ead_safetensors_at(const EadSafetensors *file, int index) {
    return &file->tensors[index];
}

const EadFileTensor *ead_safetensors_find(const EadSafetensors *file, const char *name) {
    for (int i = 0; i < file->count; i++)
        if (strcmp(file->tensors[i].name, name) == 0) {
            file->found[i] = true;
            return &file->tensors[i];
        }
    return NULL;
}

bool ead_safetensors_was_found(const EadSafetensors *file, int index) {
    return file->found[index];
}

const char *ead_safetensors_metadata(const EadSafetensors *file, const char *key) {
    return json_string_value(json_object_get(json_object_get(file->header, "__metadata__"), key));
}

int ead_safetensors_metadata_count(const EadSafetensors *file) {
    return (int)json_object_size(json_object_get(file->header, "__metadata__"));
}

const char *ead_safetensors_metadata_key(const EadSafetensors *file, int index) {
    json_t *metadata = json_object_get(file->header, "__metadata__");
    void *entry = index < 0 ? NULL : json_object_iter(metadata);
    while (entry && index-- > 0) entry = json_object_iter_next(metadata, entry);
    return entry ? json_object_iter_key(entry) : NULL;
}
