/* y = a + b. */
#pragma once

#include "core/graph/graph.h"

/* a, b [N,H,W,C] of the same shape. */
EadNode *ead_add(EadGraph *graph, EadNode *a, EadNode *b);
