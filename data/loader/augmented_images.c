/* Which images a step of GCAD sees, and how they are changed. */
#include "data/loader/augmented_images.h"

#include "core/base/memory.h"
#include "core/base/philox.h"
#include "core/image/color.h"
#include "data/loader/turn.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static void swap_pixels(uint8_t *a, uint8_t *b, size_t bytes) {
    for (size_t i = 0; i < bytes; i++) {
        uint8_t kept = a[i];
        a[i] = b[i];
        b[i] = kept;
    }
}

static void mirror(uint8_t *image, int height, int width) {
    for (int row = 0; row < height; row++, image += (ptrdiff_t)3 * width)
        for (int left = 0, right = width - 1; left < right; left++, right--)
            swap_pixels(image + (ptrdiff_t)3 * left, image + (ptrdiff_t)3 * right, 3);
}

static void flip(uint8_t *image, int height, int width) {
    ptrdiff_t bytes = (ptrdiff_t)3 * width;
    for (int top = 0, bottom = height - 1; top < bottom; top++, bottom--)
        swap_pixels(image + top * bytes, image + bottom * bytes, (size_t)bytes);
}

/* room: as large as the image. */
static EadStatus fill_image(const EadAugmentedImages *images, uint64_t draw, uint8_t *room, uint8_t *out) {
    static const double DEGREE = 3.141592653589793 / 180;
    int height = images->height, width = images->width;
    uint32_t words[4], count = (uint32_t)ead_image_cache_count(images->train);
    int index = (int)ead_shuffled_index(images->seed, EAD_STREAM_TRAIN_ORDER, draw, count);
    bool turns = images->turned > 0;
    ead_philox(images->seed, EAD_STREAM_DISTURBANCE, draw, words);
    EAD_TRY(ead_image_cache_read(images->train, index, turns ? room : out));
    if (turns) {
        double angle = (2 * (double)ead_uniform(words[2]) - 1) * images->turned * DEGREE;
        EadTurn turn = ead_turn(angle, height, width);
        ead_turn_image(&turn, room, height, width, out);
    }
    if ((double)ead_uniform(words[0]) < images->mirrored) mirror(out, height, width);
    if ((double)ead_uniform(words[1]) < images->flipped) flip(out, height, width);
    if (images->jitter) ead_color_jitter(out, (int64_t)height * width, images->seed, draw + 1);
    return EAD_OK;
}

EadStatus ead_augmented_images_fill(void *context, uint64_t step, uint8_t *slot) {
    const EadAugmentedImages *images = context;
    int64_t pixels = (int64_t)images->height * images->width;
    uint8_t *room = ead_new(pixels, 3, "a turned image");
    EadStatus status = room ? EAD_OK : EAD_NO_MEMORY;
    assert(step >= 1);
    for (int b = 0; b < images->batch && status == EAD_OK; b++, slot += 3 * pixels)
        status = fill_image(images, (step - 1) * (uint64_t)images->batch + (uint64_t)b, room, slot);
    free(room);
    return status;
}
