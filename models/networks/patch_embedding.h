/* What PatchCore and its kin know of a position: of each of a backbone's chosen features the 3x3 patch around it,
 * averaged to as many numbers for each, all of them on the grid of the first; these, one behind the other, averaged
 * to as many as are wanted. */
#pragma once

#include "models/networks/backbone.h"

/* features[0..count-1] [N,Hi,Wi,Ci] -> [N,H0,W0,width]. per_layer: numbers that each patch is averaged to (1,024 in
 * PatchCore). Errors: those of the ops. */
EadNode *ead_patch_embedding(EadGraph *graph, int count, EadNode *const features[], int per_layer, int width);

/* The same of images U8 [N,H,W,3] by a backbone's taps. */
EadNode *ead_backbone_patches(EadGraph *graph, const EadBackbone *backbone, const EadTaps *taps,
                              int per_layer, int width, EadNode *images);

/* How many patches, grid[0] x grid[1], images of height x width leave. Errors: EAD_BAD_ARGUMENT, where they are too small
 * for the network. */
EadStatus ead_backbone_patch_grid(const EadBackbone *backbone, const EadTaps *taps, int per_layer, int length,
                                  int height, int width, int grid[2]);
