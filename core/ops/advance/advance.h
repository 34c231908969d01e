/* Counts a finished step. */
#ifndef EAD_OPS_ADVANCE_H
#define EAD_OPS_ADVANCE_H

#include "core/graph.h"

/* step: I64 scalar leaf; adds 1 in place. Append it last: all nodes before it see the old number. */
EadNode *ead_advance(EadGraph *graph, EadNode *step);

#endif
