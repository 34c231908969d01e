/* The anomaly map out of one number a patch, as PatchCore and its kin make it: resized bilinearly to the image and
 * smoothed; an image is as anomalous as its most anomalous patch. */
#pragma once

#include "models/networks/inspected.h"

enum { EAD_PATCH_MAP_SIGMA = 16 /* at most */ };

/* map [N,h,w,1] -> the largest value of each [N,1,1,1]. */
EadNode *ead_map_maximum(EadGraph *graph, EadNode *map);

/* patches [N,h,w,1] -> *map [N,height,width,1] and *score [N,1,1,1], of those inside of the region, both kept. sigma:
 * standard deviation in pixels of the Gaussian, 0 .. EAD_PATCH_MAP_SIGMA; 0: none. Errors: those of the ops. */
void ead_patch_map(EadGraph *graph, const EadRegion *region, EadNode *patches, int height, int width,
                   double sigma, EadNode **map, EadNode **score);
