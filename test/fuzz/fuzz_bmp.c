/* libFuzzer target: any bytes as a BMP. */
#include "data/codec/codec_formats.h"

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    EadImage image = {0};
    EadStatus status = ead_bmp_decode(bytes, size, "fuzz", EAD_PIXELS_RGB, &image);
    if ((status == EAD_OK) != (image.pixels != NULL)) __builtin_trap();
    ead_image_free(&image);
    return 0;
}
