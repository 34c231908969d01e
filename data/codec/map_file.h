/* Reading anomaly maps, of this program or any other: one number a pixel. */
#pragma once

#include "core/base/status.h"

#include <stddef.h>

typedef struct EadMapFile {
    int width, height;
    double *values; /* [height][width], finite also as 32-bit numbers; owned */
} EadMapFile;

/* How the names of such files end: ".tif, .tiff, .npy, .png". */
#define EAD_MAP_EXTENSIONS ".tif, .tiff, .npy, .png"

/* Reads a map; the format is told by content, not by name:
 * TIFF: one channel of floating-point numbers with 16, 32 or 64 bits, or of levels with 16 bits, 0 to 65,535, of which 0
 *   is black, on one page, in every layout and compression of libtiff.
 * NPY: numpy.save() of float16, float32, float64, or signed or unsigned whole numbers of 8, 16 or 32 bits, in C or Fortran order and either byte order, H x W, with further axes
 *   only in front or behind and of length 1 (1 x H x W). Its header, which is Python, is parsed and never run.
 * PNG: gray of 8 or 16 bits; the values are 0 to 255 or 65,535.
 * Metrics depend on the order of values alone, so no scale is asked for.
 * Errors: EAD_IO; EAD_BAD_FILE for empty, truncated, damaged and foreign files, values that are not finite, sides
 * above 65,535 and more than 2^28 pixels; EAD_UNSUPPORTED for other kinds of numbers; EAD_NO_MEMORY. *out is empty
 * then, else to be freed with ead_map_file_free(). */
EadStatus ead_map_file_load(const char *path, EadMapFile *out);

/* The same from memory; label is what errors call it. */
EadStatus ead_map_file_decode(const void *bytes, size_t size, const char *label, EadMapFile *out);

/* Harmless on an empty (zeroed) one. */
void ead_map_file_free(EadMapFile *map);
