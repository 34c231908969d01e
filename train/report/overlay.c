/* Colour ramp, blending, mask outlines. */
#include "train/report/overlay.h"

#include "data/codec/codec.h"

#include <string.h>

#define MAX_OPAQUE     0.82f
#define OUTLINE_PER_PX 320 /* one pixel of outline width for so many pixels of image side */

static const uint8_t outline_color[3] = {70, 255, 140}; /* green does not occur in the ramp */

void ead_ramp_color(float t, uint8_t rgb[3]) {
    static const float points[6][3] = {{24, 14, 72},  {98, 22, 118},  {182, 48, 92},
                                       {238, 92, 44}, {252, 168, 28}, {252, 248, 160}};
    if (!(t > 0)) t = 0; /* NaN too */
    if (t > 1) t = 1;
    float position = 5 * t;
    int i = position < 5 ? (int)position : 4;
    float part = position - (float)i;
    for (int c = 0; c < 3; c++)
        rgb[c] = (uint8_t)(points[i][c] + (points[i + 1][c] - points[i][c]) * part + 0.5f);
}

static int is_defect(const EadImage *mask, int x, int y) {
    if (x < 0 || y < 0 || x >= mask->width || y >= mask->height) return 0;
    return mask->pixels[(size_t)y * (size_t)mask->width + (size_t)x] != 0;
}

/* Whether a defect lies within `reach` along one of the eight directions. */
static int is_outline(const EadImage *mask, int x, int y, int reach) {
    if (is_defect(mask, x, y)) return 0;
    for (int r = 1; r <= reach; r++)
        for (int dy = -r; dy <= r; dy += r)
            for (int dx = -r; dx <= r; dx += r)
                if (is_defect(mask, x + dx, y + dy)) return 1;
    return 0;
}

EadStatus ead_overlay_render(const EadImage *rgb, const float *map, float low, float high,
                             const EadImage *mask, EadImage *out) {
    *out = (EadImage){0};
    if (rgb->channels != 3)
        return ead_fail(EAD_BAD_SHAPE, "overlay: the image has %d channels, not 3", rgb->channels);
    if (mask && (mask->channels != 1 || mask->width != rgb->width || mask->height != rgb->height))
        return ead_fail(EAD_BAD_SHAPE, "overlay: mask of %d x %d with %d channels for an image of %d x %d",
                        mask->width, mask->height, mask->channels, rgb->width, rgb->height);
    EAD_TRY(ead_image_alloc(out, rgb->width, rgb->height, 3));
    size_t pixels = (size_t)rgb->width * (size_t)rgb->height;
    memcpy(out->pixels, rgb->pixels, 3 * pixels);
    float scale = high > low ? 1 / (high - low) : 0;
    for (size_t i = 0; map && i < pixels; i++) {
        float t = (map[i] - low) * scale;
        uint8_t color[3], *pixel = out->pixels + 3 * i;
        if (!(t > 0)) continue;
        if (t > 1) t = 1;
        ead_ramp_color(t, color);
        float alpha = MAX_OPAQUE * (1 - (1 - t) * (1 - t)); /* rises early, so that weak findings are seen */
        for (int c = 0; c < 3; c++)
            pixel[c] = (uint8_t)((1 - alpha) * (float)pixel[c] + alpha * (float)color[c] + 0.5f);
    }
    int reach = 1 + (rgb->width > rgb->height ? rgb->width : rgb->height) / OUTLINE_PER_PX;
    uint8_t *pixel = out->pixels;
    for (int y = 0; mask && y < rgb->height; y++)
        for (int x = 0; x < rgb->width; x++, pixel += 3)
            if (is_outline(mask, x, y, reach)) memcpy(pixel, outline_color, 3);
    return EAD_OK;
}

static const char software[] = "efficientad overlay";

EadStatus ead_overlay_write_png(const char *path, const EadImage *rgb, const float *map, float low,
                                float high, const EadImage *mask) {
    EadImage picture;
    EAD_TRY(ead_overlay_render(rgb, map, low, high, mask, &picture));
    EadStatus status = ead_png_write_by(path, &picture, software);
    ead_image_free(&picture);
    return status;
}

bool ead_overlay_is_one(const char *path) {
    return ead_png_is_by(path, software);
}
