/* A number that the graph itself holds. */
#ifndef EAD_OPS_CONSTANT_H
#define EAD_OPS_CONSTANT_H

#include "core/graph.h"

/* A scalar [1,1,1,1]. */
EadNode *ead_constant(EadGraph *graph, double value);

#endif
