/* Anomaly maps as files: raw numbers as TIFF for other programs, overlays as PNG for people. Both are written
 * atomically; the folder must exist. */
#ifndef EAD_TRAIN_MAP_FILES_H
#define EAD_TRAIN_MAP_FILES_H

#include "core/image.h"

/* Writes map [height][width] as an uncompressed TIFF of one 32-bit float channel, the form that the official
 * MVTec evaluation reads. Errors: EAD_BAD_SHAPE for sizes outside 1..65,535, EAD_IO, EAD_NO_MEMORY. */
EadStatus ead_map_write_tiff(const char *path, const float *map, int width, int height);

/* Writes ead_overlay_render's picture as PNG; arguments and errors as there, and EAD_IO. */
EadStatus ead_overlay_write_png(const char *path, const EadImage *rgb, const float *map, float low,
                                float high, const EadImage *mask);

#endif
