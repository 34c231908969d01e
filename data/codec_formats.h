/* What codec.c shares with the code for each format; not for use elsewhere. */
#ifndef EAD_DATA_CODEC_FORMATS_H
#define EAD_DATA_CODEC_FORMATS_H

#include "core/image.h"

#include <stdint.h>

typedef enum EadPixelUse {
    EAD_PIXELS_RGB,  /* 3 channels, 8 bits */
    EAD_PIXELS_MASK, /* 1 channel, nonzero stays nonzero */
} EadPixelUse;

/* Allocates *out once width and height are known to be within the limits and to fit a file of `size` bytes,
 * of which each can describe at most `pixels_per_byte` pixels. This stops decompression bombs and hopelessly
 * truncated files before any memory is touched. Errors: EAD_BAD_FILE, EAD_NO_MEMORY. */
EadStatus ead_codec_alloc(EadImage *out, const char *label, uint64_t width, uint64_t height, int channels,
                          size_t size, uint64_t pixels_per_byte);

EadStatus ead_png_decode(const uint8_t *bytes, size_t size, const char *label, EadPixelUse use,
                         EadImage *out);
EadStatus ead_jpeg_decode(const uint8_t *bytes, size_t size, const char *label, EadImage *out);

#endif
