/* The learning rate of the step about to be done. */
#include "core/graph/op.h"
#include "core/ops/lr_schedule/lr_schedule.h"

static void lr_schedule(const EadCall *call) {
    const EadLrSchedule *a = call->attributes;
    int64_t done = *(const int64_t *)call->x[0]->data;
    *(real *)call->y->data =
        (real)(a->drop_step >= 0 && done >= a->drop_step ? a->base * a->factor : a->base);
}

const EadKernel ead_lr_schedule_cpu = {.run = lr_schedule};
