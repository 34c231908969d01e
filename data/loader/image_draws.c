/* A cache of records, and what stands in for images that cannot be used. */
#include "data/loader/image_draws.h"

#include "core/base/memory.h"
#include "core/base/printing.h"
#include "data/cache/record_cache.h"
#include "data/source/skipped_images.h"

#include <math.h>
#include <stdlib.h>

enum { FEW = 4 }; /* that are tried */

struct EadImageDraws {
    EadImageDrawsSpec spec;
    EadRecordCache *cache;
    EadSkippedImages *skipped;
    EadImageNotes *notes;
};

static EadStatus decode(void *context, int index, uint8_t *out) {
    const EadImageDraws *draws = context;
    return ead_image_fit_load(draws->spec.images, index, draws->spec.fit, draws->notes, out);
}

static EadRecordCacheSpec cache_of(EadImageDraws *draws) {
    const EadImageDrawsSpec *spec = &draws->spec;
    return (EadRecordCacheSpec){.images = spec->images,
                                .settings = {(uint32_t)spec->fit.mode, (uint32_t)spec->fit.width,
                                             (uint32_t)spec->fit.height,
                                             ead_cache_levels_key(&spec->images->rules), 0},
                                .record_bytes = ead_image_draws_bytes(draws),
                                .make = decode,
                                .context = draws,
                                .file = spec->file,
                                .budget = spec->budget};
}

static EadStatus open_cache(EadImageDraws *draws) {
    EadRecordCacheSpec cache = cache_of(draws);
    EadStatus status = ead_record_cache_open(&cache, &draws->cache);
    if (status != EAD_IO) return status;
    ead_print(stderr, "%s; images are decoded whenever they are drawn\n", ead_error_message());
    cache.file = NULL;
    return ead_record_cache_open(&cache, &draws->cache);
}

EadStatus ead_image_draws_open(const EadImageDrawsSpec *spec, EadImageDraws **out) {
    *out = NULL;
    EAD_TRY(ead_image_fit_check(spec->fit));
    EadImageDraws *draws = ead_new(1, sizeof *draws, "images to draw from");
    if (!draws) return EAD_NO_MEMORY;
    draws->spec = *spec;
    EadStatus status = ead_skipped_images_new(spec->images->count, spec->most, &draws->skipped);
    if (status == EAD_OK) status = ead_image_notes_new(&draws->notes);
    if (status == EAD_OK) status = open_cache(draws);
    if (status == EAD_OK)
        *out = draws;
    else
        ead_image_draws_close(draws);
    return status;
}

EadStatus ead_image_draws_read(EadImageDraws *draws, int index, uint8_t *out) {
    for (;;) { /* ends: not all may be skipped */
        EadStatus status = ead_record_cache_read(draws->cache, index, out);
        if (status == EAD_OK) return EAD_OK;
        status = ead_skipped_images_add(draws->skipped, ead_image_list_file(draws->spec.images, index), index,
                                        status);
        if (status != EAD_OK) return ead_fail_prefix(status, "%s: ", draws->spec.key);
        index = (index + 1) % draws->spec.images->count;
    }
}

EadStatus ead_image_draws_kept(const EadImageDrawsSpec *spec, double drawn, uint64_t *bytes) {
    EadImageDraws draws = {.spec = *spec};
    EadRecordCacheSpec cache = cache_of(&draws);
    double count = spec->images->count, tried = fmin(FEW, count);
    return ead_record_cache_bytes(&cache, drawn + tried * (1 - drawn / count), bytes);
}

EadStatus ead_image_draws_try(EadImageDraws *draws) {
    uint8_t *image = ead_new((int64_t)ead_image_draws_bytes(draws), 1, "an image");
    EadStatus status = image ? EAD_OK : EAD_NO_MEMORY;
    for (int i = 0; i < FEW && i < draws->spec.images->count && status == EAD_OK; i++)
        status = ead_image_draws_read(draws, i, image);
    free(image);
    return status;
}

int ead_image_draws_count(const EadImageDraws *draws) {
    return draws->spec.images->count;
}

size_t ead_image_draws_bytes(const EadImageDraws *draws) {
    return (size_t)draws->spec.fit.height * (size_t)draws->spec.fit.width * 3;
}

void ead_image_draws_print(const EadImageDraws *draws, FILE *stream) {
    if (!draws) return;
    ead_image_notes_print(draws->notes, stream);
    ead_skipped_images_print(draws->skipped, draws->spec.key, stream);
}

void ead_image_draws_close(EadImageDraws *draws) {
    if (!draws) return;
    ead_record_cache_close(draws->cache);
    ead_skipped_images_free(draws->skipped);
    ead_image_notes_free(draws->notes);
    free(draws);
}
