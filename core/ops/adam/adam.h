/* One step of Adam over all parameters at once, as a node. */
#pragma once

#include "core/graph/graph.h"

typedef struct EadAdam {
    double beta1, beta2, epsilon; /* the paper's: 0.9, 0.999, 1e-8 */
    double weight_decay;          /* L2: added to the gradient as weight_decay * parameter */
    bool decoupled; /* AdamW: parameters shrink by rate * weight_decay instead, before the step */
    int64_t
        joins; /* steps done before its first update, until which nothing changes; 0: it is there from the start */
} EadAdam;

/* parameters, gradients, first, second: flat leaves [1,1,1,P] of the same size; first and second moments
 * start at zero. step: I64 scalar leaf, the number of steps done so far. rate: scalar node, the learning
 * rate. Updates parameters, first and second in place, in the order of operations of torch.optim.Adam,
 * decoupled of torch.optim.AdamW; one that joins later counts its own steps, as an optimizer made then would.
 * Returns the parameters. */
EadNode *ead_adam(EadGraph *graph, EadNode *parameters, EadNode *gradients, EadNode *first, EadNode *second,
                  EadNode *step, EadNode *rate, EadAdam attributes);
