/* y = a + b. */
#ifndef EAD_CORE_ADD_H
#define EAD_CORE_ADD_H

#include "core/graph/graph.h"

/* a, b [N,H,W,C] of the same shape. */
EadNode *ead_add(EadGraph *graph, EadNode *a, EadNode *b);

#endif
