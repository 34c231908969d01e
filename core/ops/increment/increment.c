/* The step counter's update in place: ++*step. */
#include "core/ops/increment/increment.h"

#include "core/graph/op.h"

EadNode *ead_increment(EadGraph *graph, EadNode *step) {
    return ead_graph_add(graph, EAD_OP_increment, 1, (EadNode *[]){step}, NULL, 0);
}

static EadStatus shape(const EadNode *node, EadTensor *y) {
    if (node->x[0]->y.type != EAD_I64)
        return ead_fail(EAD_BAD_SHAPE, "increment: the step must be a counter");
    *y = node->x[0]->y;
    return EAD_OK;
}

const EadOp ead_op_increment = {
    .name = "increment", .shape = shape, .alias = ead_alias_first, .has_effects = 1};

static void increment(const EadCall *call) {
    ++*(int64_t *)call->y->data;
}

const EadKernel ead_increment_cpu = {.run = increment};
