/* Which images a step sees, and how they are changed. Everything follows from (seed, step). */
#include "data/loader/training_images.h"

#include "core/base/memory.h"
#include "core/base/philox.h"
#include "core/image/color.h"
#include "data/drawn/drawn_image.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Of one image in a slot. */
static size_t image_bytes(const EadTrainingImages *images) {
    size_t side = (size_t)images->tiles.size;
    return side ? side * side * 3 : ead_image_cache_image_bytes(images->train);
}

size_t ead_training_images_slot_bytes(const EadTrainingImages *images) {
    size_t size = image_bytes(images);
    assert(!images->penalty || ead_image_draws_bytes(images->penalty) == size);
    return size * (size_t)images->count;
}

static int shuffled(const EadTrainingImages *images, EadStream stream, uint64_t step, int count) {
    return (int)ead_shuffled_index(images->seed, stream, step - 1, (uint32_t)count);
}

static EadStatus fill_penalty(const EadTrainingImages *images, uint64_t step, size_t size, uint8_t *out) {
    uint32_t words[4];
    if (images->drawn_height > 0)
        EAD_TRY(
            ead_drawn_image(images->seed, (uint32_t)step, images->drawn_height, images->drawn_width, out));
    else
        EAD_TRY(ead_image_draws_read(
            images->penalty,
            shuffled(images, EAD_STREAM_PENALTY_ORDER, step, ead_image_draws_count(images->penalty)), out));
    ead_philox(images->seed, EAD_STREAM_PENALTY_GRAY, step, words);
    if (ead_uniform(words[0]) < EAD_PENALTY_GRAY_PROBABILITY) ead_color_gray(out, (int64_t)(size / 3));
    return EAD_OK;
}

static EadStatus fill_tile(const EadTrainingImages *images, int index, uint64_t step, uint8_t *out) {
    int width, height, side = images->tiles.size;
    uint32_t words[4];
    ead_image_cache_size(images->train, index, &width, &height);
    uint8_t *image = ead_new((int64_t)width * height, 3, "a training image");
    if (!image) return EAD_NO_MEMORY;
    ead_philox(images->seed, EAD_STREAM_TILE, step, words);
    bool whole = images->tiles.whole_image && ead_uniform(words[2]) < EAD_WHOLE_IMAGE_PROBABILITY;
    EadStatus status = ead_image_cache_read(images->train, index, image);
    if (status == EAD_OK && whole)
        status = ead_resize_u8(image, width, height, 3, (ptrdiff_t)3 * width, out, side, side);
    else if (status == EAD_OK)
        ead_tile_cut(image, width, height, ead_drawn_up_to(words[0], width - side),
                     ead_drawn_up_to(words[1], height - side), side, out);
    free(image);
    return status;
}

static EadStatus fill_train(const EadTrainingImages *images, uint64_t step, uint8_t *out) {
    int index = shuffled(images, EAD_STREAM_TRAIN_ORDER, step, ead_image_cache_count(images->train));
    return images->tiles.size ? fill_tile(images, index, step, out)
                              : ead_image_cache_read(images->train, index, out);
}

EadStatus ead_training_images_fill(void *context, uint64_t step, uint8_t *slot) {
    const EadTrainingImages *images = context;
    size_t size = image_bytes(images);
    assert(step >= 1);
    if (images->penalty_at >= 0)
        EAD_TRY(fill_penalty(images, step, size, slot + (size_t)images->penalty_at * size));
    if (images->train_at < 0) return EAD_OK;
    uint8_t *train = slot + (size_t)images->train_at * size;
    EAD_TRY(fill_train(images, step, train));
    if (images->augmented_at < 0) return EAD_OK;
    uint8_t *augmented = slot + (size_t)images->augmented_at * size;
    memcpy(augmented, train, size);
    if (images->augment) ead_color_jitter(augmented, (int64_t)(size / 3), images->seed, step);
    return EAD_OK;
}
