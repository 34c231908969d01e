/* Decoding and resizing in one. */
#include "data/source/image_fit.h"

#include "core/image/image.h"

#include <string.h>

enum { MAX_SIDE = 65535 };

EadStatus ead_image_fit_check(EadImageFit fit) {
    int max_side = fit.mode == EAD_FIT_CENTER_CROP ? MAX_SIDE / 2 : MAX_SIDE;
    if (fit.width >= 1 && fit.height >= 1 && fit.width <= max_side && fit.height <= max_side) return EAD_OK;
    return ead_fail(EAD_BAD_SHAPE, "images cannot be prepared at %d x %d pixels; each side must be 1 to %d",
                    fit.width, fit.height, max_side);
}

EadStatus ead_image_fit_load(const EadImageList *images, int index, EadImageFit fit, EadImageNotes *notes,
                             uint8_t *out) {
    EadImageList list = *images; /* the same ones, read with notes */
    list.rules.notes = notes;
    EadImage image, large = {.pixels = out, .width = fit.width, .height = fit.height};
    bool crop = fit.mode == EAD_FIT_CENTER_CROP;
    EAD_TRY(ead_image_list_load(&list, index, &image));
    EadStatus status = crop ? ead_image_alloc(&large, 2 * fit.width, 2 * fit.height, 3) : EAD_OK;
    static const EadRegion whole;
    EadPixelRows rows = ead_image_rows(&image);
    if (status == EAD_OK)
        status = ead_region_resize(fit.region ? fit.region : &whole, &rows, large.pixels, large.width,
                                   large.height);
    size_t row = (size_t)fit.width * 3;
    for (int y = 0; y < fit.height && crop && status == EAD_OK; y++) {
        size_t from = (size_t)(fit.height / 2 + y) * (size_t)large.width + (size_t)(fit.width / 2);
        memcpy(out + (size_t)y * row, large.pixels + from * 3, row);
    }
    if (crop) ead_image_free(&large);
    ead_image_free(&image);
    return status == EAD_OK ? EAD_OK : ead_fail_prefix(status, "%s: ", images->items[index].name);
}
