/* Raw anomaly maps as TIFF files for other programs. Written atomically; the folder must exist. */
#ifndef EAD_DATA_CODEC_TIFF_WRITE_H
#define EAD_DATA_CODEC_TIFF_WRITE_H

#include "core/image/image.h"

/* Writes map [height][width] as an uncompressed TIFF of one 32-bit float channel, the form that the official
 * MVTec evaluation reads. Errors: EAD_BAD_SHAPE for sizes outside 1..65,535, EAD_IO, EAD_NO_MEMORY. */
EadStatus ead_map_write_tiff(const char *path, const float *map, int width, int height);

#endif
