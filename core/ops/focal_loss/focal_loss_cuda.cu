/* The focal loss on CUDA: bound by memory bandwidth, a thread a pixel. */
#include "core/cuda/stored.cuh"

#include "core/ops/focal_loss/focal_loss.h"

static __device__ inline float within(float weight) {
    return fminf(fmaxf(weight, 1e-5f), 1 - 1e-5f);
}

/* As on the CPU. */
static __device__ inline float probability(const EadStored &logits, int64_t i, float target, float *slope) {
    float distance = ead_get(logits, 2 * i + 1) - ead_get(logits, 2 * i);
    float good = 1 / (1 + expf(distance)), anomalous = 1 / (1 + expf(-distance));
    float of_anomalous = within(target), of_good = within(1 - target);
    *slope = (of_anomalous - of_good) * good * anomalous;
    return of_good * good + of_anomalous * anomalous + 1e-5f;
}

static __global__ void focal_loss(int64_t count, EadStored logits, const float *target, float *y) {
    int64_t i = ead_thread();
    float slope;
    if (i >= count) return;
    float p = probability(logits, i, __ldg(target + i), &slope);
    y[i] = -(1 - p) * (1 - p) * logf(p);
}

static __global__ void gradient(int64_t count, const float *dy, EadStored logits, const float *target,
                                EadStored dx) {
    int64_t i = ead_thread();
    float slope;
    if (i >= count) return;
    float p = probability(logits, i, __ldg(target + i), &slope);
    float d = __ldg(dy + i) * slope * (1 - p) * (2 * logf(p) - (1 - p) / p);
    ead_put(dx, 2 * i, -d);
    ead_put(dx, 2 * i + 1, d);
}

static const float *floats(const EadTensor *t) {
    return static_cast<const float *>(t->data);
}

static void run(const EadCall *call) {
    int64_t count = ead_count(call->y);
    EAD_LAUNCH(focal_loss, ead_blocks(count), EAD_BLOCK, 0, call->stream, count, ead_stored(call->x[0]),
               floats(call->x[1]), static_cast<float *>(call->y->data));
}

static void run_gradient(const EadCall *call) {
    int64_t count = ead_count(call->x[0]);
    EAD_LAUNCH(gradient, ead_blocks(count), EAD_BLOCK, 0, call->stream, count, floats(call->x[0]),
               ead_stored(call->x[1]), floats(call->x[2]), ead_stored(call->y));
}

EAD_CUDA_KERNEL(focal_loss, .run = run, .half_in = 1);
EAD_CUDA_KERNEL(focal_loss_gradient, .run = run_gradient, .half_in = 2, .half_out = true);
