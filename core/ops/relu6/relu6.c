/* ReLU6: shape, kernel for the CPU. */
#include "core/ops/relu6/relu6.h"

#include "core/graph/op.h"

EadNode *ead_relu6(EadGraph *graph, EadNode *x) {
    return ead_graph_add(graph, EAD_OP_relu6, 1, (EadNode *[]){x}, NULL, 0);
}

const EadOp ead_op_relu6 = {.name = "relu6", .shape = ead_shape_like_first, .in_place = 1};

static void relu6(const EadCall *call) {
    const real *x = call->x[0]->data;
    real *y = call->y->data;
    int64_t count = ead_count(call->y);
#pragma omp parallel for simd schedule(static)
    for (int64_t i = 0; i < count; i++) {
        real positive = x[i] < 0 ? 0 : x[i];
        y[i] = positive > 6 ? 6 : positive;
    }
}

const EadKernel ead_relu6_cpu = {.run = relu6};
