/* Two functions around the codec. */
#include "models/python/native/image_file.h"

#include "data/codec/codec.h"

#include <stdlib.h>

__attribute__((visibility("default"))) int ead_image_file_read(const char *path, int bits, int white,
                                                               int64_t max_pixels, uint8_t **pixels,
                                                               int *width, int *height) {
    const EadImageRules rules = {.bits = bits, .white = white, .max_pixels = max_pixels};
    EadImage image = {0};
    EadStatus status = ead_image_load_with(path, &rules, &image);
    *pixels = image.pixels;
    *width = image.width;
    *height = image.height;
    return (int)status;
}

__attribute__((visibility("default"))) void ead_image_file_free(uint8_t *pixels) {
    free(pixels);
}
