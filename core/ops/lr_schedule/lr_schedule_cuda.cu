/* The learning rate of the step about to be done, on CUDA. */
#include "core/cuda/cuda.cuh"

#include "core/ops/lr_schedule/lr_schedule.h"

/* y = after once drop_step steps are done, before that `before`. One thread. */
static __global__ void lr_schedule(const int64_t *done, int64_t drop_step, float before, float after,
                                   float *y) {
    *y = drop_step >= 0 && *done >= drop_step ? after : before;
}

static void run(const EadCall *call) {
    const EadLrSchedule *a = static_cast<const EadLrSchedule *>(call->attributes);
    EAD_LAUNCH(lr_schedule, 1, 1, 0, call->stream, static_cast<const int64_t *>(call->x[0]->data),
               a->drop_step, static_cast<float>(a->base), static_cast<float>(a->base * a->factor),
               static_cast<float *>(call->y->data));
}

EAD_CUDA_KERNEL(lr_schedule, .run = run);
