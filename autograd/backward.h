/* Reverse-mode differentiation: appends the nodes that compute the gradient of a scalar to the same graph,
 * each by the gradient rule of its op. Nothing is special about these nodes: they are planned and run like
 * all others. */
#pragma once

#include "core/graph/graph.h"

/* Appends the gradient of `loss` (a scalar node) with respect to each of wanted[0..count-1] (trainable
 * leaves, or any node below the loss that needs a gradient) and stores the nodes in gradients[]; NULL where
 * the loss does not depend on it. Errors stick to the graph: EAD_BAD_SHAPE if the loss is no scalar. */
void ead_backward(EadGraph *graph, EadNode *loss, int count, EadNode *const wanted[], EadNode *gradients[]);

/* A flat parameter buffer [count], and one for the gradients, which must be zeroed once and stays untouched
 * where the loss does not reach. */
typedef struct EadFlatGradients {
    const real *values;
    int64_t count;
    real *gradients;
} EadFlatGradients;

enum { EAD_MAX_FLATS = 8 };

/* The same for every trainable leaf whose memory lies in one of the `count` parameter buffers: each gradient
 * is written to the same position of the buffer for gradients. */
void ead_backward_to_flat(EadGraph *graph, EadNode *loss, int count, const EadFlatGradients flats[]);
