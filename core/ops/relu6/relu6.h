/* min(max(x, 0), 6), the activation of networks made for few bits. */
#pragma once

#include "core/graph/graph.h"

/* x real -> the same shape; a NaN stays one. No gradient: frozen networks have it. */
EadNode *ead_relu6(EadGraph *graph, EadNode *x);
