/* libzip does the format; what its entries claim is checked here before memory is asked for. */
#include "data/torch/torch_archive.h"

#include "core/base/file_bytes.h"
#include "core/base/memory.h"
#include "data/torch/torch_legacy.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zip.h>

enum { HEAD = 16, MAX_NAME = 1024 };

#define HINT "copy or download it again"

struct EadTorchArchive {
    char *path;
    EadTorchLegacy *legacy; /* NULL: a zip, and all that follows is about it */
    zip_t *zip;
    EadPickle *objects;
    uint8_t *pickle;       /* the bytes of objects */
    char prefix[MAX_NAME]; /* "NAME/" */
    uint64_t size, read;   /* bytes of the file, bytes read of its records */
};

static bool is_zip(const uint8_t *bytes, size_t size) {
    return size >= 4 && memcmp(bytes, "PK\3\4", 4) == 0;
}

bool ead_torch_archive_begins(const uint8_t *bytes, size_t size) {
    return is_zip(bytes, size) || ead_torch_legacy_begins(bytes, size);
}

static EadStatus no_format(void) {
    return ead_fail(EAD_BAD_FILE, "is not a file of torch.save; " HINT);
}

/* The folder that holds data.pkl. */
static EadStatus find_prefix(EadTorchArchive *archive) {
    static const char pickle[] = "/data.pkl";
    zip_int64_t count = zip_get_num_entries(archive->zip, 0);
    for (zip_int64_t i = 0; i < count; i++) {
        const char *name = zip_get_name(archive->zip, (zip_uint64_t)i, ZIP_FL_ENC_RAW);
        size_t length = name ? strlen(name) : 0, end = sizeof pickle - 1;
        if (length <= end || length >= MAX_NAME || strcmp(name + length - end, pickle) != 0) continue;
        memcpy(archive->prefix, name, length);
        archive->prefix[length - end + 1] = '\0';
        return EAD_OK;
    }
    return ead_fail(EAD_BAD_FILE, "is a zip archive without data.pkl, so not one of torch.save");
}

static EadStatus open_file(EadTorchArchive *archive) {
    uint8_t head[HEAD];
    struct stat info;
    int descriptor = open(archive->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (descriptor < 0) return ead_fail(EAD_IO, "cannot read: %s", strerror(errno));
    bool regular = fstat(descriptor, &info) == 0 && S_ISREG(info.st_mode);
    size_t length = regular && info.st_size < HEAD ? (size_t)info.st_size : HEAD;
    bool got = regular && ead_read_at(descriptor, head, length, 0);
    if (got && ead_torch_legacy_begins(head, length))
        return ead_torch_legacy_open(descriptor, NULL, (uint64_t)info.st_size, &archive->legacy);
    close(descriptor);
    if (!got) return ead_fail(EAD_IO, regular ? "cannot be read" : "is not a regular file");
    if (!is_zip(head, length)) return no_format();
    archive->size = (uint64_t)info.st_size;
    errno = 0;
    archive->zip = zip_open(archive->path, ZIP_RDONLY, NULL);
    return EAD_OK;
}

static EadStatus open_bytes(EadTorchArchive *archive, const void *bytes, size_t size) {
    if (ead_torch_legacy_begins(bytes, size)) return ead_torch_legacy_open(-1, bytes, size, &archive->legacy);
    if (!is_zip(bytes, size)) return no_format();
    archive->size = size;
    zip_source_t *source = zip_source_buffer_create(bytes, size, 0, NULL);
    if (!source) return ead_fail(EAD_NO_MEMORY, "no memory to read it");
    errno = 0;
    archive->zip = zip_open_from_source(source, ZIP_RDONLY, NULL);
    if (!archive->zip) zip_source_free(source);
    return EAD_OK;
}

static bool locate(const EadTorchArchive *archive, const char *name, zip_uint64_t *index) {
    char full[2 * MAX_NAME];
    int length = snprintf(full, sizeof full, "%s%s", archive->prefix, name);
    if (length < 0 || length >= (int)sizeof full) return false;
    zip_int64_t found = zip_name_locate(archive->zip, full, ZIP_FL_ENC_RAW);
    *index = (zip_uint64_t)found;
    return found >= 0;
}

static EadStatus find_record(const EadTorchArchive *archive, const char *name, EadTorchRecord *out) {
    zip_uint64_t index;
    zip_stat_t info;
    const zip_uint64_t needed =
        ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE | ZIP_STAT_COMP_METHOD | ZIP_STAT_ENCRYPTION_METHOD;
    if (!locate(archive, name, &index) || zip_stat_index(archive->zip, index, 0, &info) != 0 ||
        (info.valid & needed) != needed)
        return ead_fail(EAD_BAD_FILE, "record %.40s is missing; " HINT, name);
    if (info.comp_method != ZIP_CM_STORE || info.encryption_method != ZIP_EM_NONE ||
        info.size != info.comp_size)
        return ead_fail(EAD_BAD_FILE, "record %.40s is compressed or encrypted, which torch.save never does",
                        name);
    if (info.size > archive->size || info.size > SIZE_MAX / 2)
        return ead_fail(EAD_BAD_FILE, "record %.40s claims %llu bytes in a file of %llu; " HINT, name,
                        (unsigned long long)info.size, (unsigned long long)archive->size);
    *out = (EadTorchRecord){index, (size_t)info.size};
    return EAD_OK;
}

static EadStatus read_record(EadTorchArchive *archive, EadTorchRecord record, void *out) {
    if (record.size > archive->size - archive->read)
        return ead_fail(EAD_BAD_FILE, "its records overlap: they hold more bytes than the file");
    archive->read += record.size;
    errno = 0;
    zip_file_t *file = zip_fopen_index(archive->zip, record.index, 0);
    if (!file && errno == ENOMEM) return ead_fail(EAD_NO_MEMORY, "no memory for its records");
    if (!file)
        return ead_fail(EAD_BAD_FILE, "a record cannot be read: %s; " HINT,
                        zip_error_strerror(zip_get_error(archive->zip)));
    char beyond;
    EadStatus status = EAD_OK;
    if (zip_fread(file, out, record.size) != (zip_int64_t)record.size ||
        zip_fread(file, &beyond, 1) != 0) /* the end is where the checksum is looked at */
        status = ead_fail(EAD_BAD_FILE, "a record is damaged: %s; " HINT,
                          zip_error_strerror(zip_file_get_error(file)));
    zip_fclose(file);
    return status;
}

/* Checks that this is an archive of tensors, in the order of bytes that this machine has. */
static EadStatus check_kind(EadTorchArchive *archive) {
    zip_uint64_t index;
    EadTorchRecord record;
    char order[8] = "";
    if (!archive->zip && errno == ENOMEM) return ead_fail(EAD_NO_MEMORY, "no memory to read it");
    if (!archive->zip) return ead_fail(EAD_BAD_FILE, "is a damaged zip archive, or cut short; " HINT);
    EAD_TRY(find_prefix(archive));
    if (locate(archive, "constants.pkl", &index))
        return ead_fail(EAD_UNSUPPORTED, "is a TorchScript program, not a file of tensors; save the module's "
                                         "state_dict in Python");
    if (!locate(archive, "byteorder", &index)) return EAD_OK;
    EAD_TRY(find_record(archive, "byteorder", &record));
    if (record.size < sizeof order) EAD_TRY(read_record(archive, record, order));
    if (strcmp(order, "little") == 0) return EAD_OK;
    return ead_fail(EAD_UNSUPPORTED, "its numbers are big-endian; save it again on a little-endian machine");
}

/* From a file where bytes is NULL. */
static EadStatus open_archive(const char *path, const void *bytes, size_t size, EadTorchArchive **out) {
    *out = NULL;
    EadTorchArchive *archive = ead_new(1, sizeof *archive, path);
    if (!archive) return EAD_NO_MEMORY;
    archive->path = ead_strdup(path);
    EadStatus status = !archive->path ? EAD_NO_MEMORY
                       : bytes        ? open_bytes(archive, bytes, size)
                                      : open_file(archive);
    if (status == EAD_OK && !archive->legacy) status = check_kind(archive);
    *out = status == EAD_OK ? archive : NULL;
    if (status == EAD_OK) return EAD_OK;
    ead_torch_archive_close(archive);
    return ead_fail_prefix(status, "%s: ", path);
}

EadStatus ead_torch_archive_open(const char *path, EadTorchArchive **out) {
    return open_archive(path, NULL, 0, out);
}

EadStatus ead_torch_archive_parse(const void *bytes, size_t size, const char *label, EadTorchArchive **out) {
    return open_archive(label, bytes, size, out);
}

const char *ead_torch_archive_path(const EadTorchArchive *archive) {
    return archive->path;
}

EadStatus ead_torch_archive_objects(EadTorchArchive *archive, const char *const *calls,
                                    const EadPickleValue **root) {
    EadTorchRecord record;
    if (archive->legacy) return ead_torch_legacy_objects(archive->legacy, calls, root);
    EAD_TRY(find_record(archive, "data.pkl", &record));
    archive->pickle = ead_new((int64_t)record.size, 1, "a pickle");
    if (!archive->pickle) return EAD_NO_MEMORY;
    EAD_TRY(read_record(archive, record, archive->pickle));
    EAD_TRY(ead_pickle_parse(archive->pickle, record.size, "data.pkl", calls, &archive->objects));
    *root = ead_pickle_root(archive->objects);
    return EAD_OK;
}

EadStatus ead_torch_archive_find(const EadTorchArchive *archive, const char *key, EadTorchRecord *out) {
    char name[EAD_TORCH_KEY + 8];
    if (archive->legacy) return ead_torch_legacy_find(archive->legacy, key, out);
    snprintf(name, sizeof name, "data/%s", key);
    return find_record(archive, name, out);
}

EadStatus ead_torch_archive_read(EadTorchArchive *archive, EadTorchRecord record, void *out) {
    return archive->legacy ? ead_torch_legacy_read(archive->legacy, record, out)
                           : read_record(archive, record, out);
}

void ead_torch_archive_close(EadTorchArchive *archive) {
    if (!archive) return;
    ead_torch_legacy_close(archive->legacy);
    ead_pickle_close(archive->objects);
    free(archive->pickle);
    if (archive->zip) zip_discard(archive->zip);
    free(archive->path);
    free(archive);
}
