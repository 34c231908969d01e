/* Components by two passes: the first gives provisional labels and notes which of them touch, the second
 * replaces each by the number of its set. They are the first regions; each channel then splits those that
 * it covers in part and moves those that it covers whole. Regions without pixels stay as parents. */
#include "train/metrics/defect_regions.h"

#include "core/base/memory.h"

#include <assert.h>
#include <stdlib.h>

/* ---- components ---- */

/* parents[a] <= a, so a set's root is its oldest label and numbering roots in order keeps raster order. */
static int32_t find_root(int32_t *parents, int32_t label) {
    while (parents[label] != label) {
        parents[label] = parents[parents[label]];
        label = parents[label];
    }
    return label;
}

static int32_t unite(int32_t *parents, int32_t a, int32_t b) {
    a = find_root(parents, a);
    b = find_root(parents, b);
    if (a < b) return parents[b] = a;
    return parents[a] = b;
}

/* The label of pixel (x, y) from its four neighbours already seen; 0 when none of them is set. */
static int32_t join_neighbours(int32_t *parents, const int32_t *row, const int32_t *above, int x, int width) {
    int32_t found[4] = {x > 0 ? row[x - 1] : 0, above && x > 0 ? above[x - 1] : 0, above ? above[x] : 0,
                        above && x + 1 < width ? above[x + 1] : 0};
    int32_t label = 0;
    for (int i = 0; i < 4; i++) {
        if (found[i] == 0 || found[i] == label) continue;
        label = label == 0 ? found[i] : unite(parents, label, found[i]);
    }
    return label;
}

EadStatus ead_components_label(EadComponents *components, const uint8_t *mask, int width, int height) {
    *components = (EadComponents){0};
    int64_t pixels = (int64_t)width * height;
    if (width < 1 || height < 1 || width > 65535 || height > 65535 || pixels > (INT64_C(1) << 30))
        return ead_fail(EAD_BAD_SHAPE, "mask of %d x %d pixels: at most 2^30 pixels are possible", width,
                        height);
    /* No two provisional labels start within one 2 x 2 block. */
    int64_t max_labels = (int64_t)((width + 1) / 2) * ((height + 1) / 2) + 1;
    const char *what = "the components of a mask";
    int32_t *parents = ead_new(max_labels, sizeof *parents, what);
    components->labels = ead_new(pixels, sizeof *components->labels, what);
    if (!parents || !components->labels) goto no_memory;
    int32_t next = 1; /* provisional label */
    for (int y = 0; y < height; y++) {
        int32_t *row = components->labels + (int64_t)y * width;
        for (int x = 0; x < width; x++) {
            if (!mask[(int64_t)y * width + x]) continue;
            row[x] = join_neighbours(parents, row, y > 0 ? row - width : NULL, x, width);
            if (row[x] != 0) continue;
            parents[next] = next;
            row[x] = next++;
        }
    }
    /* Turns parents into final numbers 1..count; ascending order meets every root before its members. */
    for (int32_t label = 1; label < next; label++)
        parents[label] = parents[label] == label ? ++components->count : parents[parents[label]];
    components->areas = ead_new(components->count + 1, sizeof *components->areas, what);
    if (!components->areas) goto no_memory;
    for (int64_t i = 0; i < pixels; i++) {
        components->labels[i] = parents[components->labels[i]];
        components->areas[components->labels[i]]++;
    }
    free(parents);
    return EAD_OK;
no_memory:
    free(parents);
    ead_components_free(components);
    return EAD_NO_MEMORY;
}

void ead_components_free(EadComponents *components) {
    free(components->labels);
    free(components->areas);
    *components = (EadComponents){0};
}

/* ---- regions ---- */

static const char what[] = "the defects of an image";

static EadStatus add_channel(EadDefectRegions *r, int32_t channel, const uint8_t *mask, int64_t pixels) {
    /* Where a region's covered pixels go. */
    int32_t *moved = ead_new(r->count + 1, sizeof *moved, what);
    EadStatus status = moved ? EAD_OK : EAD_NO_MEMORY;
    for (int64_t i = 0; i < pixels && moved; i++) {
        if (!mask[i]) continue;
        int32_t label = r->labels[i];
        assert(label > 0);
        if (moved[label] == 0) {
            EadDefectRegion region = {r->regions[label].component_area, channel, label};
            status = ead_grow(&r->regions, &r->capacity, r->count + 1, sizeof region, what);
            if (status != EAD_OK) break;
            r->regions[++r->count] = region;
            moved[label] = r->count;
        }
        r->labels[i] = moved[label];
    }
    free(moved);
    return status;
}

EadStatus ead_defect_regions_find(EadDefectRegions *regions, const EadGroundTruth *truth) {
    int width = truth->mask.width, height = truth->mask.height;
    EadComponents parts;
    *regions = (EadDefectRegions){0};
    EAD_TRY(ead_components_label(&parts, truth->mask.pixels, width, height));
    *regions = (EadDefectRegions){.labels = parts.labels,
                                  .regions = ead_new(parts.count + 1, sizeof *regions->regions, what),
                                  .count = parts.count,
                                  .capacity = parts.count + 1,
                                  .components = parts.count,
                                  .normal = parts.areas[0]};
    for (int32_t label = 1; regions->regions && label <= parts.count; label++)
        regions->regions[label] = (EadDefectRegion){parts.areas[label], -1, 0};
    free(parts.areas);
    EadStatus status = regions->regions ? EAD_OK : EAD_NO_MEMORY;
    for (int c = 0; c < truth->channel_count && status == EAD_OK; c++)
        status = add_channel(regions, c, truth->channels[c].mask, (int64_t)width * height);
    if (status != EAD_OK) ead_defect_regions_free(regions);
    return status;
}

void ead_defect_regions_free(EadDefectRegions *regions) {
    free(regions->labels);
    free(regions->regions);
    *regions = (EadDefectRegions){0};
}
