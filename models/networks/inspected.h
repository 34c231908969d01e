/* A region of interest inside a network: which positions of its outputs take part. */
#pragma once

#include "core/graph/graph.h"
#include "core/image/region.h"

/* Below any value of a map, and within half precision: what is filled with it is no maximum. */
#define EAD_LOWEST (-6e4)

/* A constant [1,H,W,1] for x [N,H,W,C], of a network that looks at images of the region: 1 inside of the region's mask, else 0;
 * border: cells on each side that it does not give (without padding). *count: how many are inside. */
EadNode *ead_inside_cells(EadGraph *graph, const EadRegion *region, const EadNode *x, int border, int *count);

/* Makes these constants of a graph, all without a border, say what is inside of another region for images of the same size. A
 * plan on a device has to be told: ead_plan_update_weights(). */
void ead_inspect_region(EadGraph *graph, const EadRegion *region);

/* x [N,H,W,C], of a network that looks at images of the region; border: cells on each side that it does not give (without
 * padding). Positions outside of the region's mask get `value`; without a mask it is x itself. */
EadNode *ead_outside_filled(EadGraph *graph, const EadRegion *region, EadNode *x, int border, double value);
