/* A number that the graph itself holds. */
#pragma once

#include "core/graph/graph.h"

/* A scalar [1,1,1,1]. */
EadNode *ead_constant(EadGraph *graph, double value);
