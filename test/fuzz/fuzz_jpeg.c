/* libFuzzer target: any bytes through the door for images; the seeds are JPEG. */
#include "data/codec/codec.h"

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    EadImage image = {0};
    EadStatus status = ead_image_decode(bytes, size, "fuzz", &image);
    if ((status == EAD_OK) != (image.pixels != NULL)) __builtin_trap();
    ead_image_free(&image);
    return 0;
}
