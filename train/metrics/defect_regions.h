/* The defect pixels of one image sorted by what they belong to: pixels of the same connected component and of
 * the same defect channels make a region. AU-PRO counts by component, sPRO by channel. */
#pragma once

#include "data/dataset/ground_truth.h"

/* Connected components of a defect mask: two pixels belong together when they touch at a side or at a corner
 * (8-connected), as in the official evaluation. */
typedef struct EadComponents {
    int32_t count;   /* number of components, >= 0 */
    int32_t *labels; /* [height][width], owned: 0 background, else 1..count in order of the first pixel */
    int64_t *areas;  /* [count + 1] pixels of each label, owned; areas[0] is the background */
} EadComponents;

/* Labels the components of mask u8 [height][width], non-zero = defect. Union-find in two passes: no
 * recursion, linear time. Memory: 4 bytes a pixel kept, up to 1 byte a pixel more while it runs.
 * Errors: EAD_BAD_SHAPE for sizes outside 1..65,535 or > 2^30 pixels, EAD_NO_MEMORY; *components is empty. */
EadStatus ead_components_label(EadComponents *components, const uint8_t *mask, int width, int height);

/* Frees the arrays and leaves an empty struct; harmless on an empty (zeroed) one. */
void ead_components_free(EadComponents *components);

typedef struct EadDefectRegion {
    int64_t component_area; /* pixels of the component that the region is a part of */
    int32_t channel;        /* a channel that covers the region, or -1 */
    int32_t parent;         /* the region with the further channels, while channel >= 0 */
} EadDefectRegion;

typedef struct EadDefectRegions {
    int32_t *labels;          /* [height][width], owned: 0 no defect, else the region's number */
    EadDefectRegion *regions; /* [count + 1], owned; entry 0 is unused */
    int32_t count, capacity;
    int32_t components;
    int64_t normal; /* pixels without defect */
} EadDefectRegions;

/* Every pixel of a channel must be set in truth->mask. Errors: those of ead_components_label(),
 * EAD_NO_MEMORY; *regions is empty then. */
EadStatus ead_defect_regions_find(EadDefectRegions *regions, const EadGroundTruth *truth);

/* Harmless on an empty (zeroed) one. */
void ead_defect_regions_free(EadDefectRegions *regions);
