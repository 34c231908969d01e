/* Begins with the components as regions; each channel then splits those it covers in part or moves those it
 * covers whole. Regions that lost all their pixels stay as parents. */
#include "train/metrics/defect_regions.h"

#include "train/metrics/components.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static EadStatus no_memory(void) {
    return ead_fail(EAD_NO_MEMORY, "no memory for the defects of an image");
}

static EadStatus start(EadDefectRegions *r, const EadGroundTruth *truth) {
    EadComponents parts;
    EAD_TRY(ead_components_label(&parts, truth->mask.pixels, truth->mask.width, truth->mask.height));
    r->labels = parts.labels;
    r->components = r->count = parts.count;
    r->normal = parts.areas[0];
    r->capacity = parts.count + 1;
    r->regions = malloc((size_t)r->capacity * sizeof *r->regions);
    for (int32_t label = 1; r->regions && label <= parts.count; label++)
        r->regions[label] = (EadDefectRegion){parts.areas[label], -1, 0};
    free(parts.areas);
    return r->regions ? EAD_OK : no_memory();
}

static EadStatus push(EadDefectRegions *r, EadDefectRegion region) {
    if (r->count + 1 == r->capacity) {
        EadDefectRegion *grown = realloc(r->regions, 2 * (size_t)r->capacity * sizeof *grown);
        if (!grown) return no_memory();
        r->regions = grown;
        r->capacity *= 2;
    }
    r->regions[++r->count] = region;
    return EAD_OK;
}

static EadStatus add_channel(EadDefectRegions *r, int32_t channel, const uint8_t *mask, int64_t pixels) {
    int32_t *moved = calloc((size_t)r->count + 1, sizeof *moved); /* where a region's covered pixels go */
    EadStatus status = moved ? EAD_OK : no_memory();
    for (int64_t i = 0; i < pixels && status == EAD_OK; i++) {
        if (!mask[i]) continue;
        int32_t label = r->labels[i];
        assert(label > 0);
        if (moved[label] == 0) {
            status = push(r, (EadDefectRegion){r->regions[label].component_area, channel, label});
            moved[label] = r->count;
        }
        r->labels[i] = moved[label];
    }
    free(moved);
    return status;
}

EadStatus ead_defect_regions_find(EadDefectRegions *regions, const EadGroundTruth *truth) {
    *regions = (EadDefectRegions){0};
    int64_t pixels = (int64_t)truth->mask.width * truth->mask.height;
    EadStatus status = start(regions, truth);
    for (int c = 0; c < truth->channel_count && status == EAD_OK; c++)
        status = add_channel(regions, c, truth->channels[c].mask, pixels);
    if (status != EAD_OK) ead_defect_regions_free(regions);
    return status;
}

void ead_defect_regions_free(EadDefectRegions *regions) {
    free(regions->labels);
    free(regions->regions);
    *regions = (EadDefectRegions){0};
}
