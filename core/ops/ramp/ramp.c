/* A number that follows the step counter: shape, kernel for the CPU. */
#include "core/ops/ramp/ramp.h"

#include "core/graph/op.h"

EadNode *ead_ramp(EadGraph *graph, EadNode *step, EadRamp attributes) {
    return ead_graph_add(graph, EAD_OP_ramp, 1, (EadNode *[]){step}, &attributes, sizeof attributes);
}

static EadStatus shape(const EadNode *node, EadTensor *y) {
    const EadRamp *a = (const void *)node->attributes;
    if (node->x[0]->y.type != EAD_I64) return ead_fail(EAD_BAD_SHAPE, "ramp: the step must be a counter");
    if (a->end < a->begin)
        return ead_fail(EAD_BAD_ARGUMENT, "ramp: it ends at step %lld, before it begins at %lld",
                        (long long)a->end, (long long)a->begin);
    *y = (EadTensor){EAD_REAL, 1, 1, 1, 1, NULL};
    return EAD_OK;
}

const EadOp ead_op_ramp = {.name = "ramp", .shape = shape};

static void ramp(const EadCall *call) {
    const EadRamp *a = call->attributes;
    int64_t done = *(const int64_t *)call->x[0]->data;
    double y = done >= a->end ? a->to : a->from;
    if (done > a->begin && done < a->end)
        y += (a->to - a->from) * (double)(done - a->begin) / (double)(a->end - a->begin);
    *(real *)call->y->data = (real)y;
}

const EadKernel ead_ramp_cpu = {.run = ramp};
