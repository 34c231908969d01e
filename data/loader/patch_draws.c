/* Which patches a step sees. Everything follows from (seed, step). */
#include "data/loader/patch_draws.h"

#include "core/base/memory.h"
#include "core/base/philox.h"
#include "core/image/color.h"

#include <stdlib.h>

/* Cuts the patch of a draw out of its photograph. */
static EadStatus cut(const EadPatchDraws *draws, uint64_t draw, const uint8_t *photograph, uint8_t *out) {
    int field = draws->field, least = EAD_PATCHES_ACROSS_LEAST * field,
        most = EAD_PATCHES_ACROSS_MOST * field;
    uint32_t words[4];
    ead_philox(draws->seed, EAD_STREAM_PATCH, ((uint64_t)field << 48) + draw, words);
    int zoomed = least + ead_drawn_up_to(words[0], most - least);
    int size = (draws->side * field + zoomed / 2) / zoomed, last = draws->side - size;
    const uint8_t *from = photograph + 3 * ((ptrdiff_t)ead_drawn_up_to(words[1], last) * draws->side +
                                            ead_drawn_up_to(words[2], last));
    EAD_TRY(ead_resize_u8(from, size, size, 3, (ptrdiff_t)3 * draws->side, out, field, field));
    if ((double)ead_uniform(words[3]) < draws->gray) ead_color_gray(out, (int64_t)field * field);
    return EAD_OK;
}

EadStatus ead_patch_draws_fill(void *context, uint64_t step, uint8_t *slot) {
    const EadPatchDraws *draws = context;
    uint32_t count = (uint32_t)ead_image_draws_count(draws->photographs);
    size_t patch = (size_t)draws->field * (size_t)draws->field * 3;
    uint8_t *photograph = ead_new((int64_t)ead_image_draws_bytes(draws->photographs), 1, "a photograph");
    EadStatus status = photograph ? EAD_OK : EAD_NO_MEMORY;
    for (int b = 0; b < draws->batch && status == EAD_OK; b++, slot += patch) {
        uint64_t draw = (step - 1) * (uint64_t)draws->batch + (uint64_t)b;
        int index = (int)ead_shuffled_index(draws->seed, EAD_STREAM_DISTILL_ORDER, draw, count);
        status = ead_image_draws_read(draws->photographs, index, photograph);
        if (status == EAD_OK) status = cut(draws, draw, photograph, slot);
    }
    free(photograph);
    return status;
}
