/* The sum: shape, gradient, kernel for the CPU. */
#include "core/ops/add/add.h"

#include "core/graph/op.h"

EadNode *ead_add(EadGraph *graph, EadNode *a, EadNode *b) {
    return ead_graph_add(graph, EAD_OP_add, 2, (EadNode *[]){a, b}, NULL, 0);
}

static void gradient(EadGraph *graph, EadNode *node, EadNode *dy, EadNode **dx) {
    (void)graph, (void)node;
    dx[0] = dx[1] = dy;
}

const EadOp ead_op_add = {.name = "add", .shape = ead_shape_all_same, .gradient = gradient, .in_place = 1};

static void add(const EadCall *call) {
    const real *a = call->x[0]->data, *b = call->x[1]->data;
    real *y = call->y->data;
    int64_t count = ead_count(call->y);
#pragma omp parallel for simd schedule(static)
    for (int64_t i = 0; i < count; i++) y[i] = a[i] + b[i];
}

const EadKernel ead_add_cpu = {.run = add};
