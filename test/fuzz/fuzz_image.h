/* What the fuzz targets of image formats do with any bytes. */
#pragma once

#include "data/codec/codec.h"

/* Decodes them as usual and with a number of bits. Large pictures are left out: they take time and memory and
 * no other path. */
static inline void fuzz_image(const uint8_t *bytes, size_t size) {
    for (int bits = 0; bits <= 12; bits += 12) {
        EadImage image = {0};
        EadImageRules rules = {.bits = bits, .max_pixels = 1 << 20};
        EadStatus status = ead_image_decode_with(bytes, size, "fuzz", &rules, &image);
        if ((status == EAD_OK) != (image.pixels != NULL)) __builtin_trap();
        ead_image_free(&image);
    }
}
