/* Values whose gradient goes elsewhere: a code in place of the number that it is nearest to, whose gradient it gets. */
#pragma once

#include "core/graph/graph.h"

/* x [N,H,W,C] as it is; the gradient goes to `instead`, of the same shape, and none to x. instead may be NULL: no gradient goes
 * anywhere (what PyTorch calls detach). Errors: EAD_BAD_SHAPE. */
EadNode *ead_straight_through(EadGraph *graph, EadNode *x, EadNode *instead);
