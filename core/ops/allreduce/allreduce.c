/* The sum in place: shape, kernel for the CPU. */
#include "core/ops/allreduce/allreduce.h"

#include "core/graph/op.h"

typedef struct Allreduce {
    const EadRanks *ranks;
    double weight;
} Allreduce;

EadNode *ead_allreduce(EadGraph *graph, EadNode *x, double weight, const EadRanks *ranks) {
    Allreduce attributes = {ranks, weight};
    return ead_graph_add(graph, EAD_OP_allreduce, 1, (EadNode *[]){x}, &attributes, sizeof attributes);
}

static EadStatus shape(const EadNode *node, EadTensor *y) {
    *y = node->x[0]->y;
    return y->type == EAD_REAL ? EAD_OK
                               : ead_fail(EAD_BAD_SHAPE, "allreduce: the input must be real numbers");
}

const EadOp ead_op_allreduce = {
    .name = "allreduce", .shape = shape, .alias = ead_alias_first, .has_effects = 1};

static void allreduce(const EadCall *call) {
    const Allreduce *a = call->attributes;
    real *x = call->y->data, weight = (real)a->weight;
    int64_t count = ead_count(call->y);
#pragma omp parallel for simd schedule(static)
    for (int64_t i = 0; i < count; i++) x[i] *= weight;
    a->ranks->sum_reals(a->ranks, x, count);
}

const EadKernel ead_allreduce_cpu = {.run = allreduce};
