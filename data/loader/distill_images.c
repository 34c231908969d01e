/* Which images a step of distillation sees. Everything follows from (seed, step). */
#include "data/loader/distill_images.h"

#include "core/base/philox.h"
#include "core/image/color.h"
#include "data/cache/cache_key.h"

static const uint64_t DRAWS = UINT64_C(1) << 32; /* behind the words that belong to positions */

static bool gray_by_word(const EadDistillImages *images, uint64_t word) {
    return (double)ead_uniform(ead_philox_word(images->seed, EAD_STREAM_DISTILL_GRAY, word)) < images->gray;
}

bool ead_distill_gray(const EadDistillImages *images, int position) {
    return position >= images->held_out && gray_by_word(images, (uint64_t)position);
}

static EadStatus fit(const EadImage *image, bool gray, int height, int width, uint8_t *out) {
    if (!out) return EAD_OK;
    EAD_TRY(ead_resize_u8(image->pixels, image->width, image->height, 3, (ptrdiff_t)image->width * 3, out,
                          width, height));
    if (gray) ead_color_gray(out, (int64_t)height * width);
    return EAD_OK;
}

static EadStatus load_file(const EadDistillImages *images, int file, bool gray, uint8_t *small,
                           uint8_t *large) {
    EadImage image;
    EAD_TRY(ead_image_list_load(&images->files, file, &image));
    EadStatus status = fit(&image, gray, images->height, images->width, small);
    if (status == EAD_OK) status = fit(&image, gray, 2 * images->height, 2 * images->width, large);
    ead_image_free(&image);
    return status == EAD_OK ? EAD_OK : ead_fail_prefix(status, "%s: ", images->files.items[file].name);
}

static int file_at(const EadDistillImages *images, int position) {
    int first = images->apart ? images->held_out : 0;
    if (position < first) return position;
    return first + (int)ead_shuffled_index(images->seed, EAD_STREAM_SPLIT, (uint64_t)(position - first),
                                           (uint32_t)(images->files.count - first));
}

EadStatus ead_distill_load(const EadDistillImages *images, int position, bool gray, uint8_t *small,
                           uint8_t *large) {
    /* What stands in for a skipped image: the one behind it, in a circle over the held-out positions or over
     * the others. */
    bool held_out = position < images->held_out;
    int first = held_out ? 0 : images->held_out, end = held_out ? images->held_out : images->files.count;
    for (int start = position;;) {
        int file = file_at(images, position);
        EadStatus status = load_file(images, file, gray, small, large);
        if (status == EAD_OK || !images->skipped) return status;
        EAD_TRY(
            ead_skipped_images_add(images->skipped, ead_image_list_file(&images->files, file), file, status));
        position = position + 1 < end ? position + 1 : first;
        if (position == start) return status; /* not one of this part can be decoded */
    }
}

EadStatus ead_distill_key(const EadDistillImages *images, const char *backbone, uint64_t variant,
                          uint64_t *key) {
    EadStringList first = {0};
    EadImageList files = {0};
    EadCacheSettings settings = {.width = (uint32_t)images->width, .height = (uint32_t)images->height};
    const uint64_t draws[] = {images->seed, (uint64_t)images->held_out, variant};
    *key = 0;
    EadStatus status = ead_strings_add(&first, backbone);
    if (status == EAD_OK) status = ead_image_list_add_files(&files, &first);
    if (status == EAD_OK) status = ead_image_list_add_all(&files, &images->files);
    if (status == EAD_OK) status = ead_cache_key(&files, settings, key);
    *key = ead_cache_checksum(*key, draws, sizeof draws);
    *key = ead_cache_checksum(*key, &images->gray, sizeof images->gray);
    if (images->apart) *key = ead_cache_checksum(*key, &images->apart, sizeof images->apart);
    ead_strings_free(&first);
    ead_image_list_free(&files);
    return status;
}

static size_t small_bytes(const EadDistillImages *images) {
    return (size_t)images->height * (size_t)images->width * 3;
}

/* Behind the small images: of one image. */
static size_t large_bytes(const EadDistillImages *images) {
    return images->cache ? (size_t)images->features * sizeof(uint16_t) : 4 * small_bytes(images);
}

size_t ead_distill_slot_bytes(const EadDistillImages *images) {
    return (size_t)images->batch.count * (small_bytes(images) + large_bytes(images));
}

EadStatus ead_distill_fill(void *context, uint64_t step, uint8_t *slot) {
    const EadDistillImages *images = context;
    uint32_t count = (uint32_t)(images->files.count - images->held_out);
    uint8_t *large = slot + (size_t)images->batch.count * small_bytes(images);
    for (int b = 0; b < images->batch.count; b++, slot += small_bytes(images), large += large_bytes(images)) {
        uint64_t draw = (step - 1) * (uint64_t)images->batch.total + (uint64_t)(images->batch.first + b);
        int position =
            images->held_out + (int)ead_shuffled_index(images->seed, EAD_STREAM_DISTILL_ORDER, draw, count);
        EAD_TRY(images->cache
                    ? ead_feature_cache_read(images->cache, position, slot, (uint16_t *)(void *)large)
                    : ead_distill_load(images, position, gray_by_word(images, DRAWS + draw), slot, large));
    }
    return EAD_OK;
}
