/* Collecting pixels: one 32-bit key for a pixel without defect, kept by group; one 64-bit word, score key
 * above and region below, for a pixel with defect. One kind of defect needs no second sort. */
#include "train/metrics/pixel_store.h"

#include "core/base/memory.h"
#include "train/metrics/defect_regions.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define PIXELS "the pixels of all test images"

EadStatus ead_pro_new(EadProAccumulator **accumulator) {
    *accumulator = ead_new(1, sizeof **accumulator, "the pixel metrics");
    return *accumulator ? EAD_OK : EAD_NO_MEMORY;
}

void ead_pro_free(EadProAccumulator *accumulator) {
    if (!accumulator) return;
    for (int g = 0; g < accumulator->group_count; g++)
        ead_spill_free(&accumulator->spill, &accumulator->groups[g].normal);
    free(accumulator->groups);
    ead_spill_free(&accumulator->spill, &accumulator->defects);
    free(accumulator->regions);
    free(accumulator->members);
    free(accumulator->channels);
    free(accumulator->segments);
    free(accumulator);
}

void ead_pro_spill(EadProAccumulator *accumulator, const char *folder, size_t budget) {
    accumulator->spill = (EadSpill){.folder = budget ? folder : NULL, .budget = budget};
}

/* Makes room for `more` items beyond count, in steps of a quarter. */
static EadStatus grow(void *items, int64_t count, int64_t more, int64_t *capacity, size_t item_size) {
    void **array = items;
    if (*array && count + more <= *capacity) return EAD_OK;
    int64_t wanted = count + more + count / 4;
    void *grown = realloc(*array, (size_t)(wanted > 0 ? wanted : 1) * item_size);
    if (!grown) return ead_fail(EAD_NO_MEMORY, "no memory for the defects of the pixel metrics");
    *array = grown;
    *capacity = wanted;
    return EAD_OK;
}

static EadStatus reserve(EadProAccumulator *a, const EadDefectRegions *found, int channels, int64_t pixels,
                         int group) {
    int64_t members = 0;
    for (int32_t r = 1; r <= found->count; r++) /* channels that cover the region, itself and its parents */
        for (int32_t at = r; found->regions[at].channel >= 0; at = found->regions[at].parent) members++;
    while (group >= a->group_count) {
        EAD_TRY(ead_grow(&a->groups, &a->group_capacity, a->group_count, sizeof *a->groups,
                         "the kinds of defects"));
        a->groups[a->group_count++] = (EadProGroup){0};
    }
    EadProGroup *g = &a->groups[group];
    EAD_TRY(ead_spill_reserve(&a->spill, &g->normal,
                              (size_t)(g->normal_count + found->normal) * sizeof(uint32_t), PIXELS));
    EAD_TRY(ead_spill_reserve(&a->spill, &a->defects,
                              (size_t)(a->defect_count + pixels - found->normal) * sizeof(uint64_t), PIXELS));
    EAD_TRY(grow(&a->regions, a->region_count, found->count, &a->region_capacity, sizeof *a->regions));
    EAD_TRY(grow(&a->members, a->member_count, members, &a->member_capacity, sizeof *a->members));
    EAD_TRY(grow(&a->segments, a->segment_count, channels > 0, &a->segment_capacity, sizeof *a->segments));
    return grow(&a->channels, a->channel_count, channels, &a->channel_capacity, sizeof *a->channels);
}

/* Floats ordered as unsigned numbers, the highest first: flip all bits but the sign's of positive ones. */
static uint32_t inverted_key(float score) {
    score += 0.0f; /* -0 and +0 are equal scores and must be equal keys */
    uint32_t bits;
    memcpy(&bits, &score, sizeof bits);
    return bits & 0x80000000u ? bits : ~(bits | 0x80000000u);
}

static EadStatus check_map(const float *map, int width, int height, const EadGroundTruth *truth) {
    if (width < 1 || height < 1 || width > 65535 || height > 65535)
        return ead_fail(EAD_BAD_SHAPE, "anomaly map of %d x %d: sizes are 1 to 65,535", width, height);
    if (truth && (truth->mask.width != width || truth->mask.height != height))
        return ead_fail(EAD_BAD_SHAPE, "anomaly map of %d x %d with a mask of %d x %d", width, height,
                        truth->mask.width, truth->mask.height);
    int64_t pixels = (int64_t)width * height;
    for (int64_t i = 0; i < pixels; i++) {
        if (isfinite(map[i])) continue;
        return ead_fail(EAD_BAD_ARGUMENT,
                        "anomaly map holds %g at pixel (%lld, %lld): the model's weights are damaged",
                        (double)map[i], (long long)(i % width), (long long)(i / width));
    }
    return EAD_OK;
}

/* labels NULL: no pixel has a defect; inside NULL: all count. */
static void append_pixels(EadProAccumulator *a, EadProGroup *g, const float *map, const int32_t *labels,
                          const uint8_t *inside, int64_t pixels) {
    uint64_t first = (uint64_t)a->region_count, *defects = ead_pro_defects(a) + a->defect_count;
    uint32_t *normal = ead_pro_normal(g) + g->normal_count;
    for (int64_t i = 0; i < pixels; i++) {
        if (inside && !inside[i]) continue;
        uint32_t key = inverted_key(map[i]);
        if (!labels || labels[i] == 0)
            *normal++ = key;
        else
            *defects++ = (uint64_t)key << 32 | (first + (uint64_t)labels[i] - 1);
    }
}

/* pixels: that count, of which found->normal have no defect. */
static void append(EadProAccumulator *a, const EadDefectRegions *found, const EadGroundTruth *truth,
                   int64_t pixels, int group) {
    EadProGroup *g = &a->groups[group];
    for (int32_t r = 1; r <= found->count; r++) {
        int64_t first = a->member_count;
        for (int32_t at = r; found->regions[at].channel >= 0; at = found->regions[at].parent)
            a->members[a->member_count++] = a->channel_count + found->regions[at].channel;
        a->regions[a->region_count++] =
            (EadProRegion){.group = group,
                           .member_count = (int32_t)(a->member_count - first),
                           .first_member = first,
                           .weight = 1.0 / (double)found->regions[r].component_area,
                           .image_weight = 1.0 / (double)(pixels - found->normal)};
    }
    int channels = truth ? truth->channel_count : 0;
    if (channels > 0)
        a->segments[a->segment_count++] = (EadProSegment){.group = group,
                                                          .channel_count = channels,
                                                          .first = g->normal_count,
                                                          .count = found->normal,
                                                          .first_channel = a->channel_count};
    for (int c = 0; c < channels; c++) {
        int64_t saturation = truth->channels[c].saturation;
        a->channels[a->channel_count++] =
            (EadProChannel){saturation, 1.0 / (double)saturation, truth->channels[c].type};
    }
    g->channels += channels;
    g->normal_count += found->normal;
    g->defect_count += pixels - found->normal;
    g->components += found->components;
    g->images += pixels > found->normal;
    if (group == EAD_PRO_GOOD) a->good_pixels = a->good_pixels == 0 || a->good_pixels == pixels ? pixels : -1;
    a->defect_count += pixels - found->normal;
    a->pixel_count += pixels;
    a->sorted = a->segments_sorted = 0;
}

EadStatus ead_pro_add(EadProAccumulator *accumulator, const float *map, int width, int height,
                      const EadGroundTruth *truth, const uint8_t *inside, int group) {
    assert(group >= 0);
    EAD_TRY(check_map(map, width, height, truth));
    int64_t all = (int64_t)width * height, pixels = all;
    EadDefectRegions found = {.normal = all};
    if (truth) EAD_TRY(ead_defect_regions_find(&found, truth));
    for (int64_t i = 0; inside && i < all; i++) pixels -= !inside[i];
    found.normal -= all - pixels;
    EadStatus status = EAD_OK;
    /* 2^32 pixels keep region numbers within 32 bits and the pair counts of the AU-ROC within 64. */
    if (accumulator->region_count + found.count > UINT32_MAX ||
        accumulator->pixel_count + pixels > UINT32_MAX)
        status = ead_fail(EAD_UNSUPPORTED,
                          "pixel metrics of more than 2^32 pixels: evaluate fewer images at once");
    else
        status = reserve(accumulator, &found, truth ? truth->channel_count : 0, pixels, group);
    if (status == EAD_OK) {
        append_pixels(accumulator, &accumulator->groups[group], map, found.labels, inside, all);
        append(accumulator, &found, truth, pixels, group);
    }
    ead_defect_regions_free(&found);
    return status;
}

void ead_pro_sort_images(EadProAccumulator *accumulator) {
    EadProAccumulator *a = accumulator;
    assert(!a->mixed);
#pragma omp parallel for schedule(dynamic, 1)
    for (int64_t i = 0; i < a->segment_count; i++) {
        const EadProSegment *segment = &a->segments[i];
        ead_pixel_sort_keys(ead_pro_normal(&a->groups[segment->group]) + segment->first, segment->count);
    }
    if (a->group_count > 0)
        ead_pixel_sort_keys(ead_pro_normal(&a->groups[EAD_PRO_GOOD]), a->groups[EAD_PRO_GOOD].normal_count);
    ead_pixel_sort_words(ead_pro_defects(a), a->defect_count);
    a->segments_sorted = 1;
}

void ead_pro_sort(EadProAccumulator *accumulator) {
    EadProAccumulator *a = accumulator;
    if (!a->sorted) {
        for (int g = 0; g < a->group_count; g++)
            ead_pixel_sort_keys(ead_pro_normal(&a->groups[g]), a->groups[g].normal_count);
        ead_pixel_sort_words(ead_pro_defects(a), a->defect_count);
    }
    a->sorted = a->mixed = 1;
}
