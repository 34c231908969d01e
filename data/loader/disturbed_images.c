/* Which images a step of DSR sees, and where what is changed in them. */
#include "data/loader/disturbed_images.h"

#include "core/base/memory.h"
#include "core/base/philox.h"
#include "core/base/real.h"
#include "data/drawn/perlin.h"
#include "data/loader/turn.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { LO = 8, HI = 4, CELL_EXPONENTS = 6 };

/* Where in the blocks of a draw what is drawn begins. */
enum {
    BLOCK_IMAGE = 0,
    BLOCK_MASK = 1,
    BLOCK_LEVELS = 2,
    BLOCK_COLOR = 3,
    BLOCK_NOISE = 1 << 10,
    BLOCK_RANKS_LO = 1 << 16,
    BLOCK_RANKS_HI = 1 << 18,
    BLOCKS_LOG2 = 20,
};

/* One image of a step. */
typedef struct Draw {
    const EadDisturbedImages *images;
    uint64_t number; /* of all images drawn */
    uint64_t first;  /* its first block */
} Draw;

static Draw draw_of(const EadDisturbedImages *images, uint64_t step, int b, uint64_t kind) {
    uint64_t number = (step - 1) * (uint64_t)images->batch + (uint64_t)b;
    return (Draw){images, number, (kind << 62) + (number << BLOCKS_LOG2)};
}

static void draw_words(const Draw *d, uint64_t block, uint32_t words[4]) {
    ead_philox(d->images->seed, EAD_STREAM_DISTURBANCE, d->first + block, words);
}

static uint32_t draw_word(const Draw *d, uint64_t block, int64_t index) {
    return ead_philox_word(d->images->seed, EAD_STREAM_DISTURBANCE, 4 * (d->first + block) + (uint64_t)index);
}

/* ---- images ---- */

/* By up to a quarter to either side. */
static EadTurn quarter_turn(uint32_t word, int height, int width) {
    return ead_turn(((double)ead_uniform(word) - 0.5) * 3.141592653589793, height, width);
}

/* The image of a draw; room: as large, for one that is turned. */
static EadStatus fill_image(const Draw *d, uint8_t *room, uint8_t *out) {
    const EadDisturbedImages *images = d->images;
    uint32_t words[4], count = (uint32_t)ead_image_cache_count(images->train);
    int index = (int)ead_shuffled_index(images->seed, EAD_STREAM_TRAIN_ORDER, d->number, count);
    draw_words(d, BLOCK_IMAGE, words);
    if (!((double)ead_uniform(words[0]) < images->turned))
        return ead_image_cache_read(images->train, index, out);
    EadTurn turn = quarter_turn(words[1], images->height, images->width);
    EAD_TRY(ead_image_cache_read(images->train, index, room));
    ead_turn_image(&turn, room, images->height, images->width, out);
    return EAD_OK;
}

/* ---- masks ---- */

/* mask [height][width]: 1 inside. False: there is none. The noise is turned; what comes from beyond it is outside. */
static bool draw_mask(const Draw *d, uint8_t *mask) {
    const EadDisturbedImages *images = d->images;
    int height = images->height, width = images->width;
    uint32_t words[4];
    draw_words(d, BLOCK_MASK, words);
    memset(mask, 0, (size_t)height * (size_t)width);
    if (ead_uniform(words[0]) >= EAD_MASK_PROBABILITY) return false;
    EadPerlin noise = ead_perlin(1 << ead_drawn_up_to(words[1], CELL_EXPONENTS - 1),
                                 1 << ead_drawn_up_to(words[2], CELL_EXPONENTS - 1), images->seed,
                                 EAD_STREAM_DISTURBANCE, d->first + BLOCK_NOISE);
    EadTurn turn = quarter_turn(words[3], height, width);
    for (int row = 0; row < height; row++)
        for (int column = 0; column < width; column++) {
            double y, x;
            ead_turned_place(&turn, row, column, &y, &x);
            if (y < 0 || x < 0 || y > height - 1 || x > width - 1) continue;
            mask[(ptrdiff_t)row * width + column] =
                ead_perlin_at(&noise, y * noise.rows / height, x * noise.columns / width) >
                EAD_MASK_NOISE_ABOVE;
        }
    return true;
}

/* Whether any pixel of a cell of `side` is inside. */
static bool cell_is_inside(const uint8_t *mask, int width, int side, int row, int column) {
    for (int y = row * side; y < (row + 1) * side; y++)
        if (memchr(mask + (ptrdiff_t)y * width + (ptrdiff_t)column * side, 1, (size_t)side)) return true;
    return false;
}

/* ---- ranks ---- */

/* Of a level; `block`: where its words begin. Cells that are not inside have rank 0. */
static void draw_ranks(const Draw *d, const uint8_t *mask, int side, uint32_t reach, uint64_t block,
                       real *ranks) {
    const EadDisturbedImages *images = d->images;
    int rows = images->height / side, columns = images->width / side, codes = images->codes;
    double share = images->least_reach + (1 - images->least_reach) * (double)ead_uniform(reach);
    int most = (int)(share * codes) + 1 < codes - 1 ? (int)(share * codes) + 1 : codes - 1,
        first = (int)(images->spared * codes);
    for (int i = 0; i < rows * columns; i++)
        ranks[i] =
            cell_is_inside(mask, images->width, side, i / columns, i % columns)
                ? (real)(first + ead_drawn_up_to(draw_word(d, block, i), most > first ? most - first - 1 : 0))
                : 0;
}

/* The cells of a level that are inside, in pixels. */
static void fill_target(const EadDisturbedImages *images, const uint8_t *mask, int side, real *target) {
    int width = images->width;
    for (int row = 0; row < images->height / side; row++)
        for (int column = 0; column < width / side; column++) {
            real inside = cell_is_inside(mask, width, side, row, column);
            for (int i = 0; i < side * side; i++)
                target[(ptrdiff_t)(row * side + i / side) * width + (ptrdiff_t)column * side + i % side] =
                    inside;
        }
}

/* The parts of a slot. */
typedef struct DisturbedSlot {
    uint8_t *images;
    real *lo, *hi, *target;
} DisturbedSlot;

static void disturb(const Draw *d, int b, const uint8_t *mask, const DisturbedSlot *slot) {
    const EadDisturbedImages *images = d->images;
    ptrdiff_t pixels = (ptrdiff_t)images->height * images->width, lo = pixels / (LO * LO),
              hi = pixels / (HI * HI);
    real *restored = slot->lo + b * lo, *followed = slot->lo + (images->batch + b) * lo;
    uint32_t words[4];
    draw_words(d, BLOCK_LEVELS, words);
    bool both = ead_uniform(words[0]) < 0.5f, coarse = ead_uniform(words[1]) < 0.5f || both;
    memset(restored, 0, (size_t)lo * sizeof *restored);
    memset(slot->hi + b * hi, 0, (size_t)hi * sizeof *slot->hi);
    if (coarse) draw_ranks(d, mask, LO, words[2], BLOCK_RANKS_LO, restored);
    if (both || !coarse) draw_ranks(d, mask, HI, words[3], BLOCK_RANKS_HI, slot->hi + b * hi);
    if (both)
        memcpy(followed, restored, (size_t)lo * sizeof *followed);
    else
        memset(followed, 0, (size_t)lo * sizeof *followed);
    fill_target(images, mask, coarse ? LO : HI, slot->target + b * pixels);
}

/* A mask, and room for an image. */
static uint8_t *scratch_of(const EadDisturbedImages *images) {
    return ead_new((int64_t)images->height * images->width, 4, "a drawn mask");
}

EadStatus ead_disturbed_images_fill(void *context, uint64_t step, uint8_t *slot) {
    const EadDisturbedImages *images = context;
    size_t pixels = (size_t)images->height * (size_t)images->width, batch = (size_t)images->batch;
    DisturbedSlot parts = {.images = slot, .lo = (real *)(void *)(slot + 3 * pixels * batch)};
    parts.hi = parts.lo + 2 * batch * pixels / (LO * LO);
    parts.target = parts.hi + batch * pixels / (HI * HI);
    uint8_t *mask = scratch_of(images);
    EadStatus status = mask ? EAD_OK : EAD_NO_MEMORY;
    assert(step >= 1);
    for (int b = 0; b < images->batch && status == EAD_OK; b++) {
        Draw d = draw_of(images, step, b, 0);
        status = fill_image(&d, mask + pixels, slot + 3 * pixels * (size_t)b);
        draw_mask(&d, mask);
        disturb(&d, b, mask, &parts);
    }
    free(mask);
    return status;
}

/* ---- smudges ---- */

/* One colour over the image inside of the mask, through which the image is seen a little. */
static void smudge(const Draw *d, const uint8_t *mask, uint8_t *image) {
    uint32_t words[4];
    draw_words(d, BLOCK_COLOR, words);
    double clear = EAD_SMUDGE_MOST_CLEAR * (double)ead_uniform(words[3]);
    int64_t pixels = (int64_t)d->images->height * d->images->width;
    for (int64_t i = 0; i < pixels; i++)
        for (int c = 0; c < 3 && mask[i]; c++)
            image[3 * i + c] =
                (uint8_t)((1 - clear) * 255 * (double)ead_uniform(words[c]) + clear * image[3 * i + c] + 0.5);
}

EadStatus ead_smudged_images_fill(void *context, uint64_t step, uint8_t *slot) {
    const EadDisturbedImages *images = context;
    size_t pixels = (size_t)images->height * (size_t)images->width;
    real *target = (real *)(void *)(slot + 3 * pixels * (size_t)images->batch);
    uint8_t *mask = scratch_of(images);
    EadStatus status = mask ? EAD_OK : EAD_NO_MEMORY;
    assert(step >= 1);
    for (int b = 0; b < images->batch && status == EAD_OK; b++, target += pixels, slot += 3 * pixels) {
        Draw d = draw_of(images, step, b, 1);
        status = fill_image(&d, mask + pixels, slot);
        if (draw_mask(&d, mask) && status == EAD_OK) smudge(&d, mask, slot);
        for (size_t i = 0; i < pixels; i++) target[i] = mask[i];
    }
    free(mask);
    return status;
}

/* ---- photographs ---- */

EadStatus ead_photograph_batch_fill(void *context, uint64_t step, uint8_t *slot) {
    const EadPhotographBatch *batch = context;
    uint32_t count = (uint32_t)ead_image_draws_count(batch->photographs);
    for (int b = 0; b < batch->batch; b++, slot += ead_image_draws_bytes(batch->photographs)) {
        uint64_t number = (step - 1) * (uint64_t)batch->batch + (uint64_t)b;
        int index = (int)ead_shuffled_index(batch->seed, EAD_STREAM_DISTILL_ORDER, number, count);
        EAD_TRY(ead_image_draws_read(batch->photographs, index, slot));
    }
    return EAD_OK;
}
