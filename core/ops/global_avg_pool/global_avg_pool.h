/* The mean of each channel over a whole map: what squeeze-excitation looks at. */
#pragma once

#include "core/graph/graph.h"

/* x [N,H,W,C] -> [N,1,1,C]. Summed in double, the same for any number of threads. No gradient: frozen networks have
 * it. */
EadNode *ead_global_avg_pool(EadGraph *graph, EadNode *x);
