/* The learning rate of a step, computed from the step counter in the graph. */
#pragma once

#include "core/graph/graph.h"

typedef struct EadLrSchedule {
    double base;       /* rate of the first steps */
    double factor;     /* multiplies the rate ... */
    int64_t drop_step; /* ... once this many steps are done; negative: never */
} EadLrSchedule;

/* step: I64 scalar leaf, the number of steps done -> scalar rate. */
EadNode *ead_lr_schedule(EadGraph *graph, EadNode *step, EadLrSchedule attributes);
