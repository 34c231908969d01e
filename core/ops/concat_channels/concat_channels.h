/* Feature maps joined channel-wise. */
#pragma once

#include "core/graph/graph.h"

/* parts[0..count-1] [N,H,W,Ci], 1 <= count <= EAD_MAX_INPUTS -> [N,H,W,sum of Ci], in their order. One that is constant
 * may be [1,H,W,Ci], the same for every image. Errors: EAD_BAD_SHAPE if the other sizes differ. */
EadNode *ead_concat_channels(EadGraph *graph, int count, EadNode *const parts[]);
