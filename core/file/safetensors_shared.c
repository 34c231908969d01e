/* Models of one training that differ in a few numbers: each keeps a small file of its own, and their weights are one file
 * on the disk, with a name beside each of them. Removing any of these names costs the others nothing. */
#include "core/file/safetensors.h"

#include "core/base/file_bytes.h"
#include "core/base/memory.h"
#include "core/file/file_role.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool same_tensor(const EadFileTensor *a, const EadFileTensor *b) {
    return b && a->type == b->type && a->dims == b->dims &&
           memcmp(a->shape, b->shape, (size_t)a->dims * sizeof *a->shape) == 0 &&
           memcmp(a->data, b->data, a->bytes) == 0;
}

/* Adds what the file will hold itself, and finds what it leaves: its names, a hash and its bytes. */
static EadStatus divide(const EadSafetensors *file, const EadSafetensors *beside, FILE *names,
                        EadSafetensorsWriter *writer, uint64_t *hash, uint64_t *bytes) {
    for (int i = 0; i < ead_safetensors_count(file); i++) {
        const EadFileTensor *tensor = ead_safetensors_at(file, i);
        if (same_tensor(tensor, ead_safetensors_find(beside, tensor->name))) {
            fprintf(names, "%s%s", *bytes ? "\n" : "", tensor->name);
            *hash = ead_file_tensor_hash(*hash, tensor);
            *bytes += tensor->bytes;
        } else {
            EAD_TRY(ead_safetensors_writer_tensor(writer, tensor->name, tensor->type, tensor->dims,
                                                  tensor->shape, tensor->data));
        }
    }
    return EAD_OK;
}

static EadStatus write_metadata(const EadSafetensors *file, const char *names, uint64_t hash,
                                EadSafetensorsWriter *writer) {
    const char *key;
    char text[24];
    for (int i = 0; (key = ead_safetensors_metadata_key(file, i)) != NULL; i++)
        EAD_TRY(ead_safetensors_writer_metadata(writer, key, ead_safetensors_metadata(file, key)));
    snprintf(text, sizeof text, "%016llx", (unsigned long long)hash);
    EAD_TRY(ead_safetensors_writer_metadata(writer, EAD_SHARED_NAMES, names));
    return ead_safetensors_writer_metadata(writer, EAD_SHARED_HASH, text);
}

/* beside: open, under its name beside the file. */
static EadStatus leave_tensors(const EadSafetensors *file, const EadSafetensors *beside, uint64_t *bytes) {
    EadSafetensorsWriter *writer;
    char *names = NULL;
    size_t size;
    uint64_t hash = 0;
    EAD_TRY(ead_safetensors_writer_new(&writer));
    FILE *stream = open_memstream(&names, &size);
    EadStatus status = stream ? divide(file, beside, stream, writer, &hash, bytes)
                              : ead_fail(EAD_NO_MEMORY, "no memory for the names of tensors");
    EadStatus closed = stream ? ead_memory_stream_close(stream, &names, "the names of tensors") : EAD_OK;
    if (status == EAD_OK) status = closed;
    if (status == EAD_OK && *bytes > 0) status = write_metadata(file, names, hash, writer);
    if (status == EAD_OK && *bytes > 0)
        status = ead_safetensors_writer_write(writer, ead_safetensors_path(file));
    free(names);
    ead_safetensors_writer_free(writer);
    return status;
}

/* The file that holds the weights of `other`: itself, or the one that it leaves them to. */
static EadStatus find_holder(const char *other, EadPath holder) {
    EadSafetensors *file;
    EAD_TRY(ead_safetensors_open_header(other, &file));
    bool leaves = ead_safetensors_metadata(file, EAD_SHARED_NAMES) != NULL;
    ead_safetensors_close(file);
    if (!leaves) return ead_path_in(holder, "", other);
    EadPath folder;
    EAD_TRY(ead_path_folder(folder, other));
    return ead_path_in(holder, folder, EAD_SHARED_FILE);
}

/* A name that is left of an earlier model may go, but no file of others. */
static EadStatus link_beside(const char *holder, const char *beside) {
    if (access(beside, F_OK) == 0) EAD_TRY(ead_file_expect(beside, EAD_ROLE(MODEL), "weights of a model"));
    if ((unlink(beside) == 0 || errno == ENOENT) && link(holder, beside) == 0) return EAD_OK;
    return ead_fail(EAD_IO, "%s: cannot be a second name of %s: %s", beside, holder, strerror(errno));
}

/* whole: the file as it is, open. */
static EadStatus share(const EadSafetensors *whole, const char *other, uint64_t *bytes) {
    EadSafetensors *beside = NULL;
    EadPath holder, folder, name;
    EAD_TRY(find_holder(other, holder));
    EAD_TRY(ead_path_folder(folder, ead_safetensors_path(whole)));
    EAD_TRY(ead_path_in(name, folder, EAD_SHARED_FILE));
    EAD_TRY(link_beside(holder, name));
    EadStatus status = ead_safetensors_open(name, &beside);
    if (status == EAD_OK) status = leave_tensors(whole, beside, bytes);
    if (status != EAD_OK || *bytes == 0) unlink(name);
    ead_safetensors_close(beside);
    return status;
}

EadStatus ead_safetensors_share(const char *path, const char *other, uint64_t *bytes) {
    EadSafetensors *file;
    *bytes = 0;
    EAD_TRY(ead_safetensors_open_header(path, &file));
    bool whole = !ead_safetensors_metadata(file, EAD_SHARED_NAMES);
    ead_safetensors_close(file);
    if (!whole) return EAD_OK;
    EAD_TRY(ead_safetensors_open(path, &file));
    EadStatus status = share(file, other, bytes);
    ead_safetensors_close(file);
    return status;
}
