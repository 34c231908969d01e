/* Mean over the channels of each pixel: an anomaly map of a distance. */
#pragma once

#include "core/graph/graph.h"

typedef struct EadChannelMean {
    int channels; /* of the forward input; used by the gradient only */
} EadChannelMean;

/* x [N,H,W,C] -> [N,H,W,1]. */
EadNode *ead_channel_mean(EadGraph *graph, EadNode *x);
