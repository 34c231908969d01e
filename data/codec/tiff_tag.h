/* A number out of a directory of tags: TIFF's own, and the small TIFF that EXIF and a JPEG's index of
 * pictures are. For what libtiff does not read or hides. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Where the first directory of a TIFF in memory begins; 0 if it is none. BigTIFF too. */
size_t ead_tiff_first_directory(const uint8_t *bytes, size_t size);

/* Whether the directory at an offset has a tag; *value is its first number then (of bytes that have no type
 * their place), or 0 where it is no whole number. Damaged directories have none. */
bool ead_tiff_find_tag(const uint8_t *bytes, size_t size, size_t directory, int tag, uint32_t *value);
