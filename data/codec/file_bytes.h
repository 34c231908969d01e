/* Whole reads and writes at an offset: in as many calls as it takes, safe from several threads at once. */
#ifndef EAD_DATA_FILE_BYTES_H
#define EAD_DATA_FILE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* All of `size` bytes; false on error (errno set) or at the end of the file (errno 0). */
bool ead_read_at(int descriptor, void *bytes, size_t size, off_t offset);
bool ead_write_at(int descriptor, const void *bytes, size_t size, off_t offset);

#endif
