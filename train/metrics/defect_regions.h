/* The defect pixels of one image sorted by what they belong to: pixels of the same connected component and of
 * the same defect channels make a region. AU-PRO counts by component, sPRO by channel, so one region number a
 * pixel serves both. */
#ifndef EAD_TRAIN_DEFECT_REGIONS_H
#define EAD_TRAIN_DEFECT_REGIONS_H

#include "data/dataset/ground_truth.h"

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

#endif
