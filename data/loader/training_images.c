/* Which images a step sees, and how they are changed. Everything follows from (seed, step). */
#include "data/loader/training_images.h"

#include "core/base/philox.h"
#include "core/image/color.h"
#include "data/drawn/drawn_image.h"

#include <assert.h>
#include <string.h>

size_t ead_training_images_slot_bytes(const EadTrainingImages *images) {
    size_t size = ead_image_cache_image_bytes(images->train);
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

EadStatus ead_training_images_fill(void *context, uint64_t step, uint8_t *slot) {
    const EadTrainingImages *images = context;
    size_t size = ead_image_cache_image_bytes(images->train);
    assert(step >= 1);
    if (images->penalty_at >= 0)
        EAD_TRY(fill_penalty(images, step, size, slot + (size_t)images->penalty_at * size));
    if (images->train_at < 0) return EAD_OK;
    uint8_t *train = slot + (size_t)images->train_at * size;
    EAD_TRY(ead_image_cache_read(
        images->train, shuffled(images, EAD_STREAM_TRAIN_ORDER, step, ead_image_cache_count(images->train)),
        train));
    if (images->augmented_at < 0) return EAD_OK;
    uint8_t *augmented = slot + (size_t)images->augmented_at * size;
    memcpy(augmented, train, size);
    if (images->augment) ead_color_jitter(augmented, (int64_t)(size / 3), images->seed, step);
    return EAD_OK;
}
