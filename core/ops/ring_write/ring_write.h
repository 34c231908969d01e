/* Keeps scalars of the last steps in a ring, so that the host need not read them in every step. */
#pragma once

#include "core/graph/graph.h"

enum { EAD_RECORD_VALUES = EAD_MAX_INPUTS - 2 };

/* ring    [1,1,rows,columns] real leaf, which it returns a view of
 * step    I64 scalar: row step % rows is written
 * values  [columns] scalars, columns <= EAD_RECORD_VALUES; NULL leaves a column as it is
 * Runs even if nobody reads the ring. */
EadNode *ead_ring_write(EadGraph *graph, EadNode *ring, EadNode *step, EadNode *const values[]);
