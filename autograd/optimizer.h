/* Adam with its state: gradients and moments in flat buffers of the size of the parameters. */
#pragma once

#include "core/ops/adam/adam.h"
#include "core/graph/params.h"
#include "core/ranks/ranks.h"

typedef struct EadOptimizer {
    int64_t count;                    /* elements of each buffer: params->total */
    real *gradients, *first, *second; /* owned; all zero at the start */
} EadOptimizer;

/* Errors: EAD_NO_MEMORY; EAD_BAD_SHAPE of more weights than a tensor holds. Free with ead_optimizer_free (harmless on a zeroed struct). */
EadStatus ead_optimizer_new(const EadParams *params, EadOptimizer *out);
void ead_optimizer_free(EadOptimizer *optimizer);

/* Adam as it is used everywhere: beta 0.9 and 0.999, epsilon 1e-8, L2 weight decay inside. */
EadAdam ead_adam_usual(double weight_decay);

/* Parameters that are trained in the same way. */
typedef struct EadParamGroup {
    const EadParams *params;
    EadOptimizer *optimizer; /* of these parameters; must stay where it is */
    EadAdam adam;
    EadNode *rate; /* learning rate, a scalar node */
} EadParamGroup;

/* Appends to a graph whose scalar `loss` was built on trainable leaves of the groups: one backward pass, Adam
 * for each group, and the count of the step (`step`: an I64 scalar leaf, the steps done), which nodes
 * appended later see. share: of the batch that the loss is a mean over; where ranks share it out, the gradients are
 * summed over them, each weighted by its part, before Adam. */
void ead_optimizer_append(EadGraph *graph, int count, const EadParamGroup groups[], EadNode *loss,
                          EadNode *step, EadShare share);
