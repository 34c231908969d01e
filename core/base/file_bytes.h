/* Whole reads and writes: in as many calls as it takes, at an offset (safe from several threads at once) or
 * of a small file. */
#pragma once

#include "core/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* All of `size` bytes; false on error (errno set) or at the end of the file (errno 0). */
bool ead_read_at(int descriptor, void *bytes, size_t size, off_t offset);
bool ead_write_at(int descriptor, const void *bytes, size_t size, off_t offset);

/* EAD_IO where a path leads to something that is no regular file: reading a FIFO would wait for ever, and a device may
 * have no end. */
EadStatus ead_check_regular(const char *path);

/* Opens a regular file for reading, without waiting for anything; *descriptor is the caller's to close. Errors: EAD_IO,
 * naming the file. */
EadStatus ead_open_regular(const char *path, int *descriptor);

/* Reads a file of at most max_size bytes (below 2^31) into new memory, with a 0 behind its last byte; where the path is
 * that of an open descriptor (/dev/stdin, /dev/fd/63), a pipe too. Errors, naming the file: EAD_IO; EAD_BAD_FILE if it is larger; EAD_NO_MEMORY. *bytes is NULL then,
 * else for the caller to free(). */
EadStatus ead_read_file(const char *path, size_t max_size, char **bytes, size_t *size);
