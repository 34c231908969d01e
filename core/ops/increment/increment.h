/* Counts a finished step. */
#ifndef EAD_CORE_INCREMENT_H
#define EAD_CORE_INCREMENT_H

#include "core/graph/graph.h"

/* step: I64 scalar leaf; adds 1 in place. Append it last: all nodes before it see the old number. */
EadNode *ead_increment(EadGraph *graph, EadNode *step);

#endif
