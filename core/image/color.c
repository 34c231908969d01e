/* Brightness, contrast, saturation, gray of whole pictures. */
#include "core/image/color.h"

#include "core/image/color_pixels.h"
#include "core/base/philox.h"

static void blend_with_constant(uint8_t *rgb, int64_t pixels, int constant, float factor) {
    for (int64_t i = 0; i < 3 * pixels; i++) rgb[i] = ead_blend(constant, rgb[i], factor);
}

void ead_color_brightness(uint8_t *rgb, int64_t pixels, float factor) {
    blend_with_constant(rgb, pixels, 0, factor);
}

void ead_color_contrast(uint8_t *rgb, int64_t pixels, float factor) {
    int64_t sum = 0;
    for (int64_t i = 0; i < pixels; i++) sum += ead_gray_of(rgb + 3 * i);
    blend_with_constant(rgb, pixels, ead_mean_gray((double)sum, pixels), factor);
}

void ead_color_saturation(uint8_t *rgb, int64_t pixels, float factor) {
    for (int64_t i = 0; i < pixels; i++, rgb += 3) {
        int gray = (int)ead_gray_of(rgb);
        for (int c = 0; c < 3; c++) rgb[c] = ead_blend(gray, rgb[c], factor);
    }
}

void ead_color_gray(uint8_t *rgb, int64_t pixels) {
    for (int64_t i = 0; i < pixels; i++, rgb += 3) rgb[0] = rgb[1] = rgb[2] = (uint8_t)ead_gray_of(rgb);
}

void ead_color_jitter(uint8_t *rgb, int64_t pixels, uint64_t seed, uint64_t step) {
    static void (*const changes[EAD_COLOR_CHANGES])(uint8_t *, int64_t, float) = {
        ead_color_brightness, ead_color_contrast, ead_color_saturation};
    EadColorJitter jitter = ead_draw_color_jitter(seed, EAD_STREAM_AUGMENT, step);
    changes[jitter.change](rgb, pixels, jitter.factor);
}
