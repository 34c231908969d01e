/* What the decoders share with codec.c; not for use elsewhere. */
#pragma once

#include "core/image/image.h"

#include <stdint.h>

typedef enum EadPixelUse {
    EAD_PIXELS_RGB,  /* 3 channels, 8 bits */
    EAD_PIXELS_MASK, /* 1 channel, nonzero stays nonzero */
    EAD_PIXELS_NONE, /* only width and height are wanted: the image stays without pixels */
} EadPixelUse;

/* Sets the size of *out and, unless no pixels are wanted, allocates them, once width and height are known to
 * be within the limits and to fit a file of `size` bytes, of which each can describe at most
 * `pixels_per_byte` pixels. This stops decompression bombs and hopelessly truncated files before any memory
 * is touched. Errors: EAD_BAD_FILE, EAD_NO_MEMORY. */
EadStatus ead_codec_alloc(EadImage *out, const char *label, uint64_t width, uint64_t height, EadPixelUse use,
                          size_t size, uint64_t pixels_per_byte);

/* *out is empty after an error. */
typedef EadStatus EadDecode(const uint8_t *bytes, size_t size, const char *label, EadPixelUse use,
                            EadImage *out);

#define EAD_FORMAT(name, ...) EadDecode ead_##name##_decode;
#include "data/codec/codec_formats.def"
#undef EAD_FORMAT
