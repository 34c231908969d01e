/* Adam with its state: gradients, moments and the step counter, in flat buffers of the size of the
 * parameters. */
#ifndef EAD_AUTOGRAD_OPTIMIZER_H
#define EAD_AUTOGRAD_OPTIMIZER_H

#include "core/ops/adam/adam.h"
#include "core/graph/params.h"

typedef struct EadOptimizer {
    int64_t count;                    /* elements of each buffer: params->total */
    real *gradients, *first, *second; /* owned; all zero at the start */
    int64_t step;                     /* steps done */
} EadOptimizer;

/* Errors: EAD_NO_MEMORY. Free with ead_optimizer_free (harmless on a zeroed struct). */
EadStatus ead_optimizer_new(const EadParams *params, EadOptimizer *out);
void ead_optimizer_free(EadOptimizer *optimizer);

/* The step counter as a leaf of the graph. */
EadNode *ead_optimizer_step(EadGraph *graph, EadOptimizer *optimizer);

/* Appends to a graph whose scalar `loss` was built on trainable leaves of params: backward pass, Adam at the
 * learning rate `rate` (a scalar node), and the count of the step (`step`: ead_optimizer_step()'s leaf),
 * which nodes appended later see. The optimizer must stay where it is. */
void ead_optimizer_append(EadGraph *graph, EadOptimizer *optimizer, const EadParams *params, EadNode *loss,
                          EadNode *step, EadNode *rate, EadAdam adam);

#endif
