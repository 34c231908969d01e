/* Dropout: shape, gradient, kernel for the CPU, which is bound by the random numbers: a Philox block holds
 * those of four elements. */
#include "core/ops/dropout/dropout.h"

#include "core/base/philox.h"
#include "core/graph/op.h"

#include <math.h>

EadNode *ead_dropout(EadGraph *graph, EadNode *x, EadNode *step, double probability, uint64_t seed,
                     int layer) {
    EadDropout attributes = {probability, seed, EAD_STREAM_DROPOUT + (uint64_t)layer};
    if (layer < 0) ead_graph_fail(graph, ead_fail(EAD_BAD_ARGUMENT, "dropout: layer %d is below 0", layer));
    return ead_graph_add(graph, EAD_OP_dropout, 2, (EadNode *[]){x, step}, &attributes, sizeof attributes);
}

static EadStatus shape(const EadNode *node, EadTensor *y) {
    const EadDropout *a = (const void *)node->attributes;
    if (!(a->probability >= 0 && a->probability < 1))
        return ead_fail(EAD_BAD_ARGUMENT, "%s: probability %g is outside [0,1)", node->name, a->probability);
    return ead_shape_of_step_words(node, y);
}

/* The mask is a function of the step alone, so the gradient passes through the very same op. */
static void gradient(EadGraph *graph, EadNode *node, EadNode *dy, EadNode **dx) {
    dx[0] = ead_graph_add(graph, EAD_OP_dropout, 2, (EadNode *[]){dy, node->x[1]}, node->attributes,
                          sizeof(EadDropout));
}

const EadOp ead_op_dropout = {.name = "dropout", .shape = shape, .gradient = gradient, .in_place = 1};

static void dropout(const EadCall *call) {
    const EadDropout *a = call->attributes;
    const real *x = call->x[0]->data;
    real *y = call->y->data;
    int64_t count = ead_count(call->y), step = *(const int64_t *)call->x[1]->data;
    uint32_t limit = (uint32_t)ceil(a->probability * 0x1p24);
    real factor = (real)(1 / (1 - a->probability));
#pragma omp parallel for schedule(static)
    for (int64_t block = 0; block < (count + 3) / 4; block++) {
        uint32_t words[4];
        ead_philox(a->seed, a->stream, ead_step_block(step, 4 * block), words);
        /* uniform >= probability is decided on the 24 bits themselves */
        for (int64_t i = 4 * block; i < count && i < 4 * block + 4; i++)
            y[i] = words[i % 4] >> 8 >= limit ? x[i] * factor : 0;
    }
}

const EadKernel ead_dropout_cpu = {.run = dropout};
