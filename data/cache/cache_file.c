/* A look, the making, and a second look. */
#include "data/cache/cache_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { KEY_SIZE = 17 };

static bool says(const EadSafetensors *file, const char *key, const char *value) {
    const char *text = ead_safetensors_metadata(file, key);
    return text && strcmp(text, value) == 0;
}

/* *used: whether there is a file that holds the cache, which is open then. */
static EadStatus open_existing(const EadCacheFile *file, const char *key, int *descriptor, bool *used) {
    enum { FLAGS = O_CLOEXEC | O_NONBLOCK };
    EadSafetensors *header = NULL;
    *used = false;
    *descriptor = file->grows ? open(file->path, O_RDWR | FLAGS) : -1;
    if (*descriptor < 0) *descriptor = open(file->path, O_RDONLY | FLAGS);
    if (*descriptor < 0) return ead_fail(EAD_IO, "%s: cannot read: %s", file->path, strerror(errno));
    EadStatus status = ead_safetensors_open_header(file->path, &header);
    if (status == EAD_OK && says(header, "format", file->format) && says(header, "inputs", key))
        status = file->use(file->cache, header, *descriptor, used);
    ead_safetensors_close(header);
    if (*used) return status;
    close(*descriptor);
    *descriptor = -1;
    return status;
}

/* All of it but the data. */
static EadStatus describe(const EadCacheFile *file, EadSafetensorsWriter *writer, const char *key) {
    EAD_TRY(ead_safetensors_writer_metadata(writer, "format", file->format));
    EAD_TRY(ead_safetensors_writer_metadata(writer, "inputs", key));
    return file->add(file->cache, writer);
}

static EadStatus write_file(const EadCacheFile *file, EadSafetensorsWriter *writer, const char *key) {
    EadAtomicFile output;
    EAD_TRY(describe(file, writer, key));
    EAD_TRY(ead_safetensors_writer_begin(writer, file->path, &output));
    EadStatus status = file->fill ? file->fill(file->cache, writer, fileno(output.stream)) : EAD_OK;
    if (status == EAD_OK) return ead_atomic_file_commit(&output);
    ead_atomic_file_discard(&output);
    return status;
}

static void key_text(const EadCacheFile *file, char key[KEY_SIZE]) {
    snprintf(key, KEY_SIZE, "%016llx", (unsigned long long)file->key);
}

EadStatus ead_cache_file_bytes(const EadCacheFile *file, uint64_t *bytes) {
    char key[KEY_SIZE];
    EadSafetensorsWriter *writer;
    key_text(file, key);
    EAD_TRY(ead_safetensors_writer_new(&writer));
    EadStatus status = describe(file, writer, key);
    *bytes = ead_safetensors_writer_bytes(writer);
    ead_safetensors_writer_free(writer);
    return status;
}

EadStatus ead_cache_file_open(const EadCacheFile *file, int *descriptor) {
    char key[KEY_SIZE];
    bool used;
    EadSafetensorsWriter *writer;
    key_text(file, key);
    EadStatus status = open_existing(file, key, descriptor, &used);
    if (used || status == EAD_NO_MEMORY) return status;
    EAD_TRY(ead_safetensors_writer_new(&writer));
    status = write_file(file, writer, key);
    ead_safetensors_writer_free(writer);
    if (status == EAD_OK) status = open_existing(file, key, descriptor, &used);
    if (status != EAD_OK || used) return status;
    return ead_fail(EAD_IO, "%s: was changed by another program as soon as it was written", file->path);
}
