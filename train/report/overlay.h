/* Heat maps for people: an anomaly map blended over its image, with what was decided by it. */
#pragma once

#include "core/image/image.h"
#include "train/metrics/threshold_rule.h"

#include <stdbool.h>

/* Colour of t in 0..1 (clamped): dark violet, magenta, orange, pale yellow; lightness rises with t, so the
 * order survives gray printing and colour blindness. */
void ead_ramp_color(float t, uint8_t rgb[3]);

/* Map values and their colours: transparent at `low` and below, the ramp's end at `high` and above. */
typedef struct EadHeat {
    float low, high;
    float threshold; /* of pixels; NAN: none */
} EadHeat;

/* What is drawn. */
typedef struct EadOverlay {
    const EadImage *rgb; /* 3 channels, [height][width] */
    const float *map;    /* [height][width] f32 of the same size; NULL: no heat */
    EadHeat heat;
    const EadImage
        *truth;   /* 1 channel of the same size, non-zero = defect, outlined in green just outside; or NULL */
    bool regions; /* white outlines, in black ones, just outside of the pixels from heat.threshold on */
    bool
        legend; /* below the image a strip: verdict with score and threshold, and a bar of the colours with numbers
                   * at the pixel threshold and at both ends; as much of it as the width has room for */
    float score;      /* for the legend, like the next */
    double threshold; /* of the score; NAN: no verdict */
} EadOverlay;

/* A new image of the same width, owned by the caller: the picture, of the image's height, and below it the strip of the
 * legend, 22 pixels high, or 42 where verdict and bar have no room side by side; a multiple of that for images larger than
 * some 256 pixels. Errors: EAD_BAD_SHAPE, EAD_NO_MEMORY; then *out is empty. */
EadStatus ead_overlay_render(const EadOverlay *overlay, EadImage *out);

/* Writes that picture as PNG; errors as there, and EAD_IO. */
EadStatus ead_overlay_write_png(const char *path, const EadOverlay *overlay);

/* Whether a file was written by ead_overlay_write_png(). */
bool ead_overlay_is_one(const char *path);
