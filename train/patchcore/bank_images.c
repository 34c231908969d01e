/* A list of hashes. */
#include "train/patchcore/bank_images.h"

#include "core/base/memory.h"

#include <stdlib.h>

uint64_t ead_bank_hash(const uint8_t *image, size_t bytes) {
    uint64_t hash = UINT64_C(0xCBF29CE484222325);
    for (size_t i = 0; i < bytes; i++) hash = (hash ^ image[i]) * UINT64_C(0x100000001B3);
    return hash;
}

bool ead_bank_knows(const EadPatchcore *model, uint64_t hash) {
    for (int i = 0; i < model->image_count; i++)
        if (model->images[i] == hash) return true;
    return false;
}

EadStatus ead_bank_remember(EadPatchcore *model, uint64_t hash) {
    uint64_t *images = realloc(model->images, ((size_t)model->image_count + 1) * sizeof *images);
    if (!images) return ead_fail(EAD_NO_MEMORY, "no memory for the hashes of images");
    images[model->image_count++] = hash;
    model->images = images;
    return EAD_OK;
}

EadStatus ead_bank_count_known(const EadPatchcore *model, const EadImageCache *cache, int *known) {
    size_t bytes = ead_image_cache_image_bytes(cache);
    uint8_t *image = ead_new((int64_t)bytes, 1, "an image");
    EadStatus status = image ? EAD_OK : EAD_NO_MEMORY;
    *known = 0;
    for (int i = 0; i < ead_image_cache_count(cache) && status == EAD_OK; i++) {
        status = ead_image_cache_read(cache, i, image);
        if (status == EAD_OK) *known += ead_bank_knows(model, ead_bank_hash(image, bytes));
    }
    free(image);
    return status;
}
