/* What PatchCore and its kin know of a position: of each of a backbone's chosen features the 3x3 patch around it,
 * averaged to as many numbers for each, all of them on the grid of the first; these, one behind the other, averaged
 * to as many as are wanted. */
#pragma once

#include "core/graph/graph.h"

/* features[0..count-1] [N,Hi,Wi,Ci] -> [N,H0,W0,width]. per_layer: numbers that each patch is averaged to (1,024 in
 * PatchCore). Errors: those of the ops. */
EadNode *ead_patch_embedding(EadGraph *graph, int count, EadNode *const features[], int per_layer, int width);
