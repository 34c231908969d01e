/* Adaptive average pooling of flattened patches, as PatchCore describes a position: its kernel x kernel patch
 * (zero padding), flattened with the positions of one channel as neighbours, number j = channel * kernel² +
 * row * kernel + column, is averaged to any number of outputs. Output i is the mean of the numbers
 * floor(i L / outputs) .. ceil((i + 1) L / outputs) - 1 of the L = C kernel² (torch's adaptive_avg_pool1d):
 * windows may end within a channel, and overlap where the numbers do not divide. For frozen networks: no
 * gradient. */
#pragma once

#include "core/graph/graph.h"

typedef struct EadPatchPool {
    int kernel; /* 1: the channels alone */
    int outputs;
} EadPatchPool;

/* x [N,H,W,C] -> [N,H,W,outputs]. kernel odd, 1..15; outputs >= 1. Errors: EAD_BAD_ARGUMENT for others. */
EadNode *ead_patch_pool(EadGraph *graph, EadNode *x, EadPatchPool attributes);
