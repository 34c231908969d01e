/* Shape of Adam: an update in place. */
#include "core/ops/adam/adam.h"

#include "core/graph/op.h"

EadNode *ead_adam(EadGraph *graph, EadNode *parameters, EadNode *gradients, EadNode *first, EadNode *second,
                  EadNode *step, EadNode *rate, EadAdam attributes) {
    return ead_graph_add(graph, EAD_OP_adam, 6,
                         (EadNode *[]){parameters, gradients, first, second, step, rate}, &attributes,
                         sizeof attributes);
}

static EadStatus shape(const EadNode *node, EadTensor *y) {
    *y = node->x[0]->y;
    for (int i = 1; i < 4; i++)
        if (!ead_same_shape(&node->x[i]->y, y))
            return ead_fail(EAD_BAD_SHAPE, "adam: parameters, gradients and moments must have one size");
    if (node->x[4]->y.type != EAD_I64 || ead_count(&node->x[5]->y) != 1)
        return ead_fail(EAD_BAD_SHAPE, "adam: the step must be a counter and the rate a scalar");
    return EAD_OK;
}

static int64_t alias(const EadNode *node) {
    (void)node;
    return 0;
}

const EadOp ead_op_adam = {.name = "adam", .shape = shape, .alias = alias, .has_effects = 1};
