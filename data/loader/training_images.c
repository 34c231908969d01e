/* Which images a step sees, and how they are changed. Everything follows from (seed, step). */
#include "data/loader/training_images.h"

#include "core/base/philox.h"
#include "core/image/color.h"

#include <assert.h>
#include <string.h>

int ead_training_images_per_step(const EadTrainingImages *images) {
    if (images->penalty_only) return 1;
    return images->penalty ? 3 : 2;
}

size_t ead_training_images_slot_bytes(const EadTrainingImages *images) {
    size_t size = ead_image_cache_image_bytes(images->train);
    assert(!images->penalty || ead_image_cache_image_bytes(images->penalty) == size);
    return size * (size_t)ead_training_images_per_step(images);
}

static EadStatus read_shuffled(const EadImageCache *cache, uint64_t seed, EadStream stream, uint64_t step,
                               uint8_t *out) {
    uint32_t count = (uint32_t)ead_image_cache_count(cache);
    return ead_image_cache_read(cache, (int)ead_shuffled_index(seed, stream, step - 1, count), out);
}

static EadStatus fill_penalty(const EadTrainingImages *images, uint64_t step, size_t size, uint8_t *out) {
    uint32_t words[4];
    EAD_TRY(read_shuffled(images->penalty, images->seed, EAD_STREAM_PENALTY_ORDER, step, out));
    ead_philox(images->seed, EAD_STREAM_PENALTY_GRAY, step, words);
    if (ead_uniform(words[0]) < EAD_PENALTY_GRAY_PROBABILITY) ead_color_gray(out, (int64_t)(size / 3));
    return EAD_OK;
}

EadStatus ead_training_images_fill(void *context, uint64_t step, uint8_t *slot) {
    const EadTrainingImages *images = context;
    size_t size = ead_image_cache_image_bytes(images->train);
    assert(step >= 1);
    if (images->penalty) {
        EAD_TRY(fill_penalty(images, step, size, slot));
        slot += size;
    }
    if (images->penalty_only) return EAD_OK;
    EAD_TRY(read_shuffled(images->train, images->seed, EAD_STREAM_TRAIN_ORDER, step, slot));
    memcpy(slot + size, slot, size);
    if (images->augment) ead_color_jitter(slot + size, (int64_t)(size / 3), images->seed, step);
    return EAD_OK;
}
