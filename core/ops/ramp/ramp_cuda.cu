/* A number that follows the step counter, on CUDA. */
#include "core/cuda/cuda.cuh"

#include "core/ops/ramp/ramp.h"

/* y = from up to step begin, to from step end on, on a straight line between them. One thread. */
static __global__ void ramp(const int64_t *step, EadRamp a, float *y) {
    int64_t done = *step;
    double value = done >= a.end ? a.to : a.from;
    if (done > a.begin && done < a.end)
        value += (a.to - a.from) * static_cast<double>(done - a.begin) / static_cast<double>(a.end - a.begin);
    *y = static_cast<float>(value);
}

static void run(const EadCall *call) {
    EAD_LAUNCH(ramp, 1, 1, 0, call->stream, static_cast<const int64_t *>(call->x[0]->data),
               *static_cast<const EadRamp *>(call->attributes), static_cast<float *>(call->y->data));
}

EAD_CUDA_KERNEL(ramp, .run = run);
