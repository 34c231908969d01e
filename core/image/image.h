/* An 8-bit RGB image, and the one resize of the whole program. */
#pragma once

#include "core/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct EadImage {
    int width, height; /* pixels, >= 1 once filled */
    int channels;      /* 3 (RGB) or 1 (gray, masks) */
    uint8_t *pixels;   /* [height][width][channels], owned; NULL when empty */
} EadImage;

/* Gives *image storage of that size (content undefined). Errors: EAD_NO_MEMORY, EAD_BAD_SHAPE for sizes
 * below 1 or above 65,535. */
EadStatus ead_image_alloc(EadImage *image, int width, int height, int channels);

/* Whether `rows` rows of so many bytes may begin `stride` bytes apart, forwards or backwards: not into each other, and so
 * that no offset overflows. */
bool ead_stride_fits(ptrdiff_t stride, ptrdiff_t row, int rows);

/* Frees the pixels and leaves an empty image; harmless on an empty one. */
void ead_image_free(EadImage *image);

/* Antialiased bilinear resize as Pillow's Image.resize(BILINEAR) does it: a triangle filter widened by the
 * reduction factor, horizontal pass first, 8-bit fixed-point weights and rounding after each pass.
 * pixels [height][width][channels] with `stride` bytes from row to row; out [out_height][out_width][channels]
 * contiguous. Errors: EAD_NO_MEMORY; EAD_BAD_SHAPE for sizes outside 1..65,535. */
EadStatus ead_resize_u8(const uint8_t *pixels, int width, int height, int channels, ptrdiff_t stride,
                        uint8_t *out, int out_width, int out_height);

/* Pixels as cameras and libraries for images have them; borrowed. */
typedef struct EadPixelRows {
    const void *pixels; /* the top row */
    int width, height;
    ptrdiff_t stride; /* bytes from row to row; negative where the top row is stored last */
    int channels;     /* that count: the first 1 or 3 of a pixel */
    int step;         /* bytes from pixel to pixel */
    bool reversed;    /* blue comes first */
    /* 0: 8 bits a channel. 1..65,535: one channel of 16 bits, brought to 8 by ead_level_of_white(): the upper 8 of n bits
     * where white is 2^n - 1. */
    int white;
} EadPixelRows;

/* A sample of more than 8 bits as one of 8, by the value that counts as white, 1..65,535. */
static inline uint8_t ead_level_of_white(uint32_t value, uint32_t white) {
    return (uint8_t)(value < white ? value * 256 / (white + 1) : 255);
}

/* The rows of an image with 8 bits a channel. */
EadPixelRows ead_image_rows(const EadImage *image);

/* The image that they hold, with 8 bits a channel: gray stays gray. The caller's. Errors: EAD_NO_MEMORY, EAD_BAD_SHAPE. */
EadStatus ead_image_of_rows(const EadPixelRows *in, EadImage *out);

/* The same resize to RGB, out [out_height][out_width][3]; one channel becomes all three. What it gives is, to the bit,
 * what ead_resize_u8() gives for the same picture in RGB. Errors: the same. */
EadStatus ead_resize_to_rgb(const EadPixelRows *in, uint8_t *out, int out_width, int out_height);

/* The weights of one pass of the resize, in fixed point: 2^EAD_RESIZE_WEIGHT_BITS is 1, which leaves a sum of 32 bits 8 for the
 * pixel and 2 for headroom. Output i is the sum of values[i * taps + k] times input first[i] + k, k < count[i], plus a half,
 * rounded down. */
enum { EAD_RESIZE_WEIGHT_BITS = 22 };
typedef struct EadResizeWeights {
    int *first, *count; /* [out] */
    int32_t *values;    /* [out][taps] */
    int taps;
} EadResizeWeights;

/* From `in` to `out` positions, both at least 1. Errors: EAD_NO_MEMORY; *weights is empty then. */
EadStatus ead_resize_weights_make(EadResizeWeights *weights, int in, int out);
void ead_resize_weights_free(EadResizeWeights *weights);
