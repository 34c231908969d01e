/* What is anomalous in one image: the regions of its map, for people and programs to look at. */
#pragma once

#include "core/base/status.h"

#include <stdint.h>

enum { EAD_MOST_REGIONS = 100 }; /* that are described of an image; the others are counted */

/* Pixels of the map from the pixel threshold on that touch at a side or a corner (8-connected). In pixels of the image,
 * from its upper left corner. */
typedef struct EadMapRegion {
    int64_t area;            /* pixels */
    int x, y, width, height; /* the smallest box around it */
    int peak_x, peak_y;      /* where its value is largest; of several places the first in reading order */
    float score;             /* that value */
} EadMapRegion;

typedef struct EadMapRegions {
    float threshold;     /* NAN: none is known, and so are no regions */
    int64_t count, area; /* of all regions */
    int kept;
    EadMapRegion
        *items; /* [kept], owned: the regions with the largest peaks, these first; equal ones by the place of
                            the peak in reading order */
    int peak_x, peak_y; /* of the whole map, in a region or not */
    float peak;
} EadMapRegions;

/* map [height][width], finite. Errors: those of ead_components_label(); *regions is empty then. */
EadStatus ead_map_regions_find(EadMapRegions *regions, const float *map, int width, int height,
                               float threshold);

/* Harmless on an empty (zeroed) one. */
void ead_map_regions_free(EadMapRegions *regions);
