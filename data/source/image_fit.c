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

/* Whether all that is inside is of one colour. rgb: what the region was resized to, `pixels` of them. */
static bool is_empty(const EadRegion *region, const uint8_t *rgb, int64_t pixels) {
    const uint8_t *first = NULL;
    for (int64_t i = 0; i < pixels; i++, rgb += 3) {
        if (region->mask && !region->mask[i]) continue;
        if (!first) first = rgb;
        if (memcmp(rgb, first, 3) != 0) return false;
    }
    return true;
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
    const EadRegion *region = fit.region ? fit.region : &whole;
    EadPixelRows rows = ead_image_rows(&image);
    if (status == EAD_OK) status = ead_region_resize(region, &rows, large.pixels, large.width, large.height);
    if (status == EAD_OK && !ead_region_is_whole(region) &&
        is_empty(region, large.pixels, (int64_t)large.width * large.height))
        ead_image_notes_add(notes, EAD_NOTE_EMPTY, images->items[index].name, 1);
    size_t row = (size_t)fit.width * 3;
    for (int y = 0; y < fit.height && crop && status == EAD_OK; y++) {
        size_t from = (size_t)(fit.height / 2 + y) * (size_t)large.width + (size_t)(fit.width / 2);
        memcpy(out + (size_t)y * row, large.pixels + from * 3, row);
    }
    if (crop) ead_image_free(&large);
    ead_image_free(&image);
    return status == EAD_OK ? EAD_OK : ead_fail_prefix(status, "%s: ", images->items[index].name);
}
