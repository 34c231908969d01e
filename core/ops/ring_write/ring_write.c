/* The ring's update in place: shape, kernel for the CPU. */
#include "core/ops/ring_write/ring_write.h"

#include "core/graph/op.h"

EadNode *ead_ring_write(EadGraph *graph, EadNode *ring, EadNode *step, EadNode *const values[]) {
    for (EadRingWrite a = {0}; a.first == 0 || a.first < ring->y.c; a.first += EAD_RECORD_VALUES) {
        EadNode *inputs[EAD_MAX_INPUTS] = {ring, step};
        for (int c = 0; a.first + c < ring->y.c && c < EAD_RECORD_VALUES; c++)
            inputs[2 + c] = values[a.first + c];
        ring = ead_graph_add(graph, EAD_OP_ring_write, EAD_MAX_INPUTS, inputs, &a, sizeof a);
    }
    return ring;
}

static EadStatus shape(const EadNode *node, EadTensor *y) {
    *y = node->x[0]->y;
    if (y->type != EAD_REAL || y->n != 1 || y->h != 1)
        return ead_fail(EAD_BAD_SHAPE, "ring_write: the ring must be [1,1,rows,columns]");
    if (!node->x[1] || node->x[1]->y.type != EAD_I64)
        return ead_fail(EAD_BAD_SHAPE, "ring_write: the step must be a counter");
    for (int k = 2; k < EAD_MAX_INPUTS; k++)
        if (node->x[k] && (ead_count(&node->x[k]->y) != 1 || node->x[k]->y.type != EAD_REAL))
            return ead_fail(EAD_BAD_SHAPE, "ring_write: value %d is not a scalar", k - 2);
    return EAD_OK;
}

const EadOp ead_op_ring_write = {
    .name = "ring_write", .shape = shape, .alias = ead_alias_first, .has_effects = 1};

static void ring_write(const EadCall *call) {
    const EadTensor *ring = call->y;
    int64_t step = *(const int64_t *)call->x[1]->data;
    int first = ((const EadRingWrite *)call->attributes)->first;
    real *row = (real *)ring->data + step % ring->w * ring->c + first;
    for (int c = 0; first + c < ring->c && c < EAD_RECORD_VALUES; c++)
        if (call->x[2 + c]) row[c] = *(const real *)call->x[2 + c]->data;
}

const EadKernel ead_ring_write_cpu = {.run = ring_write};
