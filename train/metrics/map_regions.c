/* Components of the map's pixels from the threshold on; the strongest of them are described. */
#include "train/metrics/map_regions.h"

#include "core/base/memory.h"
#include "train/metrics/defect_regions.h"

#include <math.h>
#include <stdlib.h>

static const char what[] = "the regions of a map";

void ead_map_regions_free(EadMapRegions *regions) {
    free(regions->items);
    *regions = (EadMapRegions){.threshold = NAN};
}

/* The component with the larger peak comes first, of equal ones that whose peak does. */
static bool comes_before(const float *map, int64_t a, int64_t b) {
    return map[a] > map[b] || (map[a] == map[b] && a < b);
}

/* labels [kept] of the strongest components, strongest first. peaks [count + 1]: each one's pixel. */
static int choose(const float *map, const int64_t *peaks, int32_t count, int32_t labels[EAD_MOST_REGIONS]) {
    int kept = 0;
    for (int32_t label = 1; label <= count; label++) {
        if (kept == EAD_MOST_REGIONS && !comes_before(map, peaks[label], peaks[labels[kept - 1]])) continue;
        int at = kept < EAD_MOST_REGIONS ? kept++ : kept - 1;
        for (; at > 0 && comes_before(map, peaks[label], peaks[labels[at - 1]]); at--)
            labels[at] = labels[at - 1];
        labels[at] = label;
    }
    return kept;
}

static void extend(EadMapRegion *region, int x, int y) {
    int right = region->x + region->width, bottom = region->y + region->height;
    if (x < region->x) region->x = x;
    if (y < region->y) region->y = y;
    if (x >= right) right = x + 1;
    if (y >= bottom) bottom = y + 1;
    region->width = right - region->x;
    region->height = bottom - region->y;
}

/* peaks and places are scratch [parts->count + 1]; places: each component's place among the items, -1: none. */
static EadStatus describe(EadMapRegions *r, const EadComponents *parts, const float *map, int width,
                          int64_t pixels, int64_t *peaks, int32_t *places) {
    int32_t labels[EAD_MOST_REGIONS];
    for (int32_t label = 0; label <= parts->count; label++) peaks[label] = places[label] = -1;
    for (int64_t i = 0; i < pixels; i++) {
        int64_t *peak = &peaks[parts->labels[i]];
        if (*peak < 0 || map[i] > map[*peak]) *peak = i;
    }
    r->kept = choose(map, peaks, parts->count, labels);
    r->items = ead_new(r->kept, sizeof *r->items, what);
    if (!r->items) return EAD_NO_MEMORY;
    for (int i = 0; i < r->kept; i++) {
        int64_t peak = peaks[labels[i]];
        int x = (int)(peak % width), y = (int)(peak / width);
        places[labels[i]] = i;
        r->items[i] = (EadMapRegion){parts->areas[labels[i]], x, y, 1, 1, x, y, map[peak]};
    }
    places[0] = -1; /* the background */
    for (int64_t i = 0; i < pixels; i++)
        if (places[parts->labels[i]] >= 0)
            extend(&r->items[places[parts->labels[i]]], (int)(i % width), (int)(i / width));
    return EAD_OK;
}

static EadStatus find(EadMapRegions *r, const uint8_t *mask, const float *map, int width, int height) {
    EadComponents parts;
    EAD_TRY(ead_components_label(&parts, mask, width, height));
    int64_t pixels = (int64_t)width * height;
    int64_t *peaks = ead_new(parts.count + 1, sizeof *peaks, what);
    int32_t *places = peaks ? ead_new(parts.count + 1, sizeof *places, what) : NULL;
    EadStatus status = places ? describe(r, &parts, map, width, pixels, peaks, places) : EAD_NO_MEMORY;
    r->count = parts.count;
    r->area = pixels - parts.areas[0];
    free(peaks);
    free(places);
    ead_components_free(&parts);
    return status;
}

EadStatus ead_map_regions_find(EadMapRegions *regions, const float *map, int width, int height,
                               float threshold) {
    int64_t pixels = (int64_t)width * height, peak = 0;
    for (int64_t i = 1; i < pixels; i++)
        if (map[i] > map[peak]) peak = i;
    *regions = (EadMapRegions){.threshold = threshold,
                               .peak_x = (int)(peak % width),
                               .peak_y = (int)(peak / width),
                               .peak = map[peak]};
    if (!(map[peak] >= threshold)) return EAD_OK;
    uint8_t *mask = ead_new(pixels, 1, what);
    if (!mask) return EAD_NO_MEMORY;
    for (int64_t i = 0; i < pixels; i++) mask[i] = map[i] >= threshold;
    EadStatus status = find(regions, mask, map, width, height);
    free(mask);
    if (status != EAD_OK) ead_map_regions_free(regions);
    return status;
}
