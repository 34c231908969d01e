/* pread and pwrite may do less than they were asked for. */
#include "data/codec/file_bytes.h"

#include <errno.h>
#include <stdint.h>
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
