/* Heat maps for people: an anomaly map blended over its image. */
#pragma once

#include "core/image/image.h"

#include <stdbool.h>

/* Colour of t in 0..1 (clamped): dark violet, magenta, orange, pale yellow; lightness rises with t, so the
 * order survives gray printing and colour blindness. */
void ead_ramp_color(float t, uint8_t rgb[3]);

/* Blends a map over an image: transparent at `low` and below, the ramp's end at `high` and above.
 * rgb   3 channels, [height][width]; map [height][width] f32 of the same size, or NULL: the plain image
 * mask  1 channel of the same size, non-zero = defect, outlined in green just outside the defect; or NULL
 * out   a new image, owned by the caller. Errors: EAD_BAD_SHAPE, EAD_NO_MEMORY; then *out is empty. */
EadStatus ead_overlay_render(const EadImage *rgb, const float *map, float low, float high,
                             const EadImage *mask, EadImage *out);

/* Writes ead_overlay_render's picture as PNG; arguments and errors as there, and EAD_IO. */
EadStatus ead_overlay_write_png(const char *path, const EadImage *rgb, const float *map, float low,
                                float high, const EadImage *mask);

/* Whether a file was written by ead_overlay_write_png(). */
bool ead_overlay_is_one(const char *path);
