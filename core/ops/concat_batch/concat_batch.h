/* Several batches joined to one. */
#pragma once

#include "core/graph/graph.h"

/* parts[0..count-1] [Ni,H,W,C], 1 <= count <= EAD_MAX_INPUTS -> [sum of Ni,H,W,C]. */
EadNode *ead_concat_batch(EadGraph *graph, int count, EadNode *const parts[]);
