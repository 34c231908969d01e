/* What the fuzz targets of image formats do with any bytes. */
#pragma once

#include "data/codec/codec.h"

/* Decodes them as usual, with a number of bits and by what is white. Large pictures are left out: they take time and memory and
 * no other path. */
static inline void fuzz_image(const uint8_t *bytes, size_t size) {
    static const EadImageRules ways[] = {{0}, {.bits = 12}, {.white = 3000}};
    for (int i = 0; i < 3; i++) {
        EadImage image = {0};
        EadImageRules rules = ways[i];
        rules.max_pixels = 1 << 20;
        EadStatus status = ead_image_decode_with(bytes, size, "fuzz", &rules, &image);
        if ((status == EAD_OK) != (image.pixels != NULL)) __builtin_trap();
        ead_image_free(&image);
    }
}
