/* read, pread and pwrite may do less than they were asked for. */
#include "core/base/file_bytes.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool ead_read_at(int descriptor, void *bytes, size_t size, off_t offset) {
    for (uint8_t *to = bytes; size > 0;) {
        errno = 0;
        ssize_t got = pread(descriptor, to, size, offset);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return false;
        to += got, offset += got, size -= (size_t)got;
    }
    return true;
}

bool ead_write_at(int descriptor, const void *bytes, size_t size, off_t offset) {
    for (const uint8_t *from = bytes; size > 0;) {
        errno = 0;
        ssize_t put = pwrite(descriptor, from, size, offset);
        if (put < 0 && errno == EINTR) continue;
        if (put <= 0) return false;
        from += put, offset += put, size -= (size_t)put;
    }
    return true;
}

static const char *kind_of(mode_t mode) {
    switch (mode & S_IFMT) {
    case S_IFDIR:
        return "a folder";
    case S_IFIFO:
        return "a FIFO";
    case S_IFSOCK:
        return "a socket";
    default:
        return "a device";
    }
}

static EadStatus expect_regular(const char *path, const struct stat *info) {
    if (S_ISREG(info->st_mode)) return EAD_OK;
    return ead_fail(EAD_IO, "%s: is %s, not a regular file; put one in its place", path,
                    kind_of(info->st_mode));
}

EadStatus ead_check_regular(const char *path) {
    struct stat info;
    return stat(path, &info) == 0 ? expect_regular(path, &info) : EAD_OK;
}

EadStatus ead_open_regular(const char *path, int *descriptor) {
    struct stat info = {0};
    EAD_TRY(ead_check_regular(path)); /* opening a device may do something */
    *descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (*descriptor < 0) return ead_fail(EAD_IO, "%s: cannot open: %s", path, strerror(errno));
    EadStatus status = fstat(*descriptor, &info) == 0 ? expect_regular(path, &info) : EAD_OK;
    if (status != EAD_OK) close(*descriptor);
    return status;
}

/* Whether the path is that of something this process was given open: its input, a shell's <(command). */
static bool names_descriptor(const char *path) {
    return strcmp(path, "/dev/stdin") == 0 || strncmp(path, "/dev/fd/", strlen("/dev/fd/")) == 0 ||
           strncmp(path, "/proc/self/fd/", strlen("/proc/self/fd/")) == 0;
}

EadStatus ead_read_file(const char *path, size_t max_size, char **bytes, size_t *size) {
    EadStatus status = EAD_OK;
    size_t capacity = 1 << 16;
    *bytes = NULL;
    *size = 0;
    if (!names_descriptor(path)) EAD_TRY(ead_check_regular(path));
    FILE *stream = fopen(path, "rb");
    if (!stream) return ead_fail(EAD_IO, "%s: cannot read: %s", path, strerror(errno));
    while (status == EAD_OK && !feof(stream)) {
        char *larger = realloc(*bytes, capacity + 1);
        if (larger) {
            *bytes = larger;
            *size += fread(*bytes + *size, 1, capacity - *size, stream);
        }
        if (!larger)
            status = ead_fail(EAD_NO_MEMORY, "%s: no memory to read it", path);
        else if (ferror(stream))
            status = ead_fail(EAD_IO, "%s: cannot read: %s", path, strerror(errno));
        else if (*size > max_size)
            status = ead_fail(EAD_BAD_FILE, "%s: more than %zu KiB, which is too large for such a file", path,
                              max_size >> 10);
        else if (*size == capacity)
            capacity *= 2;
    }
    fclose(stream);
    if (status == EAD_OK)
        (*bytes)[*size] = '\0';
    else
        free(*bytes), *bytes = NULL;
    return status;
}
