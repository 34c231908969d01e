/* A number that the graph itself holds. */
#ifndef EAD_CORE_CONSTANT_H
#define EAD_CORE_CONSTANT_H

#include "core/graph/graph.h"

/* A scalar [1,1,1,1]. */
EadNode *ead_constant(EadGraph *graph, double value);

#endif
