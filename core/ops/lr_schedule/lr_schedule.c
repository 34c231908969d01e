/* The learning rate of the step about to be done: shape, kernel for the CPU. */
#include "core/ops/lr_schedule/lr_schedule.h"

#include "core/graph/op.h"

EadNode *ead_lr_schedule(EadGraph *graph, EadNode *step, EadLrSchedule attributes) {
    return ead_graph_add(graph, EAD_OP_lr_schedule, 1, (EadNode *[]){step}, &attributes, sizeof attributes);
}

static EadStatus shape(const EadNode *node, EadTensor *y) {
    if (node->x[0]->y.type != EAD_I64)
        return ead_fail(EAD_BAD_SHAPE, "lr_schedule: the step must be a counter");
    *y = (EadTensor){EAD_REAL, 1, 1, 1, 1, NULL};
    return EAD_OK;
}

const EadOp ead_op_lr_schedule = {.name = "lr_schedule", .shape = shape};

static void lr_schedule(const EadCall *call) {
    const EadLrSchedule *a = call->attributes;
    int64_t done = *(const int64_t *)call->x[0]->data;
    *(real *)call->y->data =
        (real)(a->drop_step >= 0 && done >= a->drop_step ? a->base * a->factor : a->base);
}

const EadKernel ead_lr_schedule_cpu = {.run = lr_schedule};
