/* Brightness, contrast, saturation, gray. The reference blends in single precision, and truncates; each line
 * of blend() keeps its order of operations. */
#include "data/color.h"

#include "core/philox.h"

static unsigned gray_of(const uint8_t *p) {
    return (p[0] * 19595u + p[1] * 38470u + p[2] * 7471u + 0x8000u) >> 16;
}

/* from + factor (to - from), truncated; outside 0..1 the result can leave 0..255 and is clipped. */
static uint8_t blend(int from, int to, float factor) {
    float value = (float)from + factor * (float)(to - from);
    if (value <= 0.0f) return 0;
    return value >= 255.0f ? 255 : (uint8_t)value;
}

static void blend_with_constant(uint8_t *rgb, int64_t pixels, int constant, float factor) {
    for (int64_t i = 0; i < 3 * pixels; i++) rgb[i] = blend(constant, rgb[i], factor);
}

void ead_color_brightness(uint8_t *rgb, int64_t pixels, float factor) {
    blend_with_constant(rgb, pixels, 0, factor);
}

void ead_color_contrast(uint8_t *rgb, int64_t pixels, float factor) {
    int64_t sum = 0;
    for (int64_t i = 0; i < pixels; i++) sum += gray_of(rgb + 3 * i);
    blend_with_constant(rgb, pixels, (int)((double)sum / (double)pixels + 0.5), factor);
}

void ead_color_saturation(uint8_t *rgb, int64_t pixels, float factor) {
    for (int64_t i = 0; i < pixels; i++, rgb += 3) {
        int gray = (int)gray_of(rgb);
        for (int c = 0; c < 3; c++) rgb[c] = blend(gray, rgb[c], factor);
    }
}

void ead_color_gray(uint8_t *rgb, int64_t pixels) {
    for (int64_t i = 0; i < pixels; i++, rgb += 3) rgb[0] = rgb[1] = rgb[2] = (uint8_t)gray_of(rgb);
}

void ead_color_jitter(uint8_t *rgb, int64_t pixels, uint64_t seed, uint64_t step) {
    static void (*const operations[3])(uint8_t *, int64_t, float) = {ead_color_brightness, ead_color_contrast,
                                                                     ead_color_saturation};
    uint32_t words[4];
    ead_philox(seed, EAD_STREAM_AUGMENT, step, words);
    float factor = (float)(0.8 + 0.4 * (double)ead_uniform(words[1]));
    operations[((uint64_t)words[0] * 3) >> 32](rgb, pixels, factor);
}
