/* Storage of 8-bit images. */
#include "core/image/image.h"

#include <stdlib.h>

enum { MAX_SIDE = 65535 };

EadStatus ead_image_alloc(EadImage *image, int width, int height, int channels) {
    *image = (EadImage){0};
    if (width < 1 || height < 1 || width > MAX_SIDE || height > MAX_SIDE)
        return ead_fail(EAD_BAD_SHAPE, "an image of %d x %d pixels: each side must be 1 to %d", width, height,
                        MAX_SIDE);
    if (channels != 1 && channels != 3)
        return ead_fail(EAD_BAD_SHAPE, "an image of %d channels: only 1 or 3 are possible", channels);
    uint8_t *pixels = malloc((size_t)width * (size_t)height * (size_t)channels);
    if (!pixels) return ead_fail(EAD_NO_MEMORY, "no memory for an image of %d x %d pixels", width, height);
    *image = (EadImage){.width = width, .height = height, .channels = channels, .pixels = pixels};
    return EAD_OK;
}

void ead_image_free(EadImage *image) {
    free(image->pixels);
    *image = (EadImage){0};
}
