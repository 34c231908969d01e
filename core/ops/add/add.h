/* y = a + b. */
#ifndef EAD_OPS_ADD_H
#define EAD_OPS_ADD_H

#include "core/graph.h"

/* a, b [N,H,W,C] of the same shape. */
EadNode *ead_add(EadGraph *graph, EadNode *a, EadNode *b);

#endif
