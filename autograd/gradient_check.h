/* Compares the gradients of a graph with central differences. Only worth anything in the double build: in
 * float the differences are noise. */
#ifndef EAD_AUTOGRAD_GRADIENT_CHECK_H
#define EAD_AUTOGRAD_GRADIENT_CHECK_H

#include "core/graph/graph.h"

/* Appends the backward pass of `loss` (a scalar), plans the graph, runs it, and once more with each tested
 * element of each input moved up and down by 1e-5.
 * inputs[0..count-1]  trainable leaves with data, which are as before afterwards
 * samples             elements tested of each input, drawn with `seed`; 0 = all
 * *error              largest |gradient - difference| over the input's largest gradient (over 1 if all of
 *                     those are 0); the project asks for 1e-6
 * The graph cannot be planned again afterwards. Errors: those of building and planning; EAD_BAD_ARGUMENT if
 * the loss does not depend on an input. */
EadStatus ead_gradient_check(EadGraph *graph, EadNode *loss, int count, EadNode *const inputs[],
                             int64_t samples, uint64_t seed, double *error);

#endif
