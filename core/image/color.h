/* The colour changes of training on 8-bit RGB, to the bit as torchvision applies them to PIL images. */
#pragma once

#include <stdint.h>

/* rgb [pixels][3] is changed in place. A factor of 1 changes nothing, 0 gives black, the mean gray or the
 * gray image; factors above 1 exaggerate and clip to 0..255. factor is finite and >= 0; pixels >= 1. */
void ead_color_brightness(uint8_t *rgb, int64_t pixels, float factor);
void ead_color_contrast(uint8_t *rgb, int64_t pixels, float factor);
void ead_color_saturation(uint8_t *rgb, int64_t pixels, float factor);

/* Gray in all three channels: (19595 R + 38470 G + 7471 B + 2^15) / 2^16, ITU-R 601 as Pillow rounds it. */
void ead_color_gray(uint8_t *rgb, int64_t pixels);

/* The augmentation of EfficientAD (Algorithm 1): one of brightness, contrast and saturation, drawn uniformly,
 * with a factor uniform in [0.8, 1.2). A pure function of (seed, step): word 0 of block `step` of
 * EAD_STREAM_AUGMENT draws the operation, word 1 the factor. */
void ead_color_jitter(uint8_t *rgb, int64_t pixels, uint64_t seed, uint64_t step);
