/* Counts a finished step. */
#pragma once

#include "core/graph/graph.h"

/* step: I64 scalar leaf; adds 1 in place. Append it last: all nodes before it see the old number. */
EadNode *ead_increment(EadGraph *graph, EadNode *step);
