/* Keeps scalars of the last steps in a ring, so that the host need not read them in every step. */
#pragma once

#include "core/graph/graph.h"

enum { EAD_RECORD_VALUES = EAD_MAX_INPUTS - 2 };

/* One node writes up to EAD_RECORD_VALUES columns, from this one on. */
typedef struct EadRingWrite {
    int first;
} EadRingWrite;

/* ring    [1,1,rows,columns] real leaf, which it returns a view of
 * step    I64 scalar: row step % rows is written
 * values  [columns] scalars; NULL leaves a column as it is
 * As many nodes as it takes. They run even if nobody reads the ring. */
EadNode *ead_ring_write(EadGraph *graph, EadNode *ring, EadNode *step, EadNode *const values[]);
