/* The affine coupling on CUDA: bound by memory bandwidth. */
#include "core/cuda/reduce.cuh"

#include "core/ops/coupling/coupling.h"

/* The attributes as kernels compute with them, and the sizes of a pixel. */
typedef struct DeviceCoupling {
    float limit, slope, gain;
    bool arctangent;
    int kept, changed; /* channels */
} DeviceCoupling;

static DeviceCoupling coupling_of(const EadCall *call, const EadTensor *a, int channels) {
    const EadCoupling *c = static_cast<const EadCoupling *>(call->attributes);
    int changed = a->c / 2;
    return DeviceCoupling{static_cast<float>(c->limit), static_cast<float>(c->slope),
                          static_cast<float>(c->gain),  c->arctangent,
                          channels - changed,           changed};
}

/* f(u), and f'(u) given f(u). */
static __device__ inline float bounded(const DeviceCoupling &c, float u) {
    return c.arctangent ? atanf(u) : tanhf(u);
}
static __device__ inline float bounded_slope(const DeviceCoupling &c, float u, float f) {
    return c.arctangent ? 1 / (1 + u * u) : 1 - f * f;
}

/* y = x exp(s) + gain shift in the changed channels, y = x in the others. One thread one number. */
static __global__ void scale(int64_t count, DeviceCoupling c, EadStored x, EadStored a, EadStored y) {
    int64_t i = ead_thread();
    if (i >= count) return;
    int channels = c.kept + c.changed;
    int64_t pixel = i / channels, changed = i - pixel * channels - c.kept;
    float v = ead_get(x, i);
    if (changed >= 0) {
        int64_t at = 2 * pixel * c.changed + changed;
        v *= expf(c.limit * bounded(c, c.slope * ead_get(a, at)));
        v += c.gain * ead_get(a, at + c.changed);
    }
    ead_put(y, i, v);
}

static void launch(const EadCall *call, DeviceCoupling c) {
    int64_t count = ead_count(call->y);
    EAD_LAUNCH(scale, ead_blocks(count), EAD_BLOCK, 0, call->stream, count, c, ead_stored(call->x[0]),
               ead_stored(call->x[1]), ead_stored(call->y));
}

static void run(const EadCall *call) {
    launch(call, coupling_of(call, call->x[1], call->y->c));
}

/* dx = dy exp(s): no shift. */
static void run_gradient(const EadCall *call) {
    DeviceCoupling c = coupling_of(call, call->x[1], call->y->c);
    c.gain = 0;
    launch(call, c);
}

/* da_scale = dy x exp(s) limit slope f', da_shift = gain dy. One thread one changed channel of one pixel. */
static __global__ void network_gradient(int64_t count, DeviceCoupling c, EadStored dy, EadStored x,
                                        EadStored a, EadStored da) {
    int64_t i = ead_thread();
    if (i >= count) return;
    int64_t pixel = i / c.changed, at = i + pixel * c.changed, from = i + (pixel + 1) * c.kept;
    float d = ead_get(dy, from), u = c.slope * ead_get(a, at), f = bounded(c, u);
    ead_put(da, at, d * ead_get(x, from) * expf(c.limit * f) * (c.limit * c.slope * bounded_slope(c, u, f)));
    ead_put(da, at + c.changed, c.gain * d);
}

static void run_network_gradient(const EadCall *call) {
    DeviceCoupling c = coupling_of(call, call->x[2], call->x[0]->c);
    int64_t count = ead_count(call->y) / 2;
    EAD_LAUNCH(network_gradient, ead_blocks(count), EAD_BLOCK, 0, call->stream, count, c,
               ead_stored(call->x[0]), ead_stored(call->x[1]), ead_stored(call->x[2]), ead_stored(call->y));
}

/* y = limit times the sum of f over the scales of all pixels, in double. A thread takes every (threads of the
 * grid)-th of these; partials has one sum a block. */
static __global__ void logdet(int64_t count, DeviceCoupling c, EadStored a, double *partials,
                              unsigned *counter, float *y) {
    double sum = 0;
    int64_t step = static_cast<int64_t>(gridDim.x) * EAD_REDUCE_BLOCK;
    for (int64_t i = ead_thread(); i < count; i += step)
        sum += static_cast<double>(bounded(c, c.slope * ead_get(a, i + i / c.changed * c.changed)));
    sum = ead_block_sum(sum);
    if (threadIdx.x == 0) partials[blockIdx.x] = sum;
    if (!ead_last_block(counter, gridDim.x)) return;
    sum = ead_sum_partials(partials, gridDim.x);
    if (threadIdx.x == 0) *y = static_cast<float>(static_cast<double>(c.limit) * sum);
}

static void plan_logdet(EadCall *call) {
    call->workspace_bytes = ead_reduce_blocks(ead_count(call->x[0])) * sizeof(double);
    call->state_bytes = sizeof(unsigned);
}

static void run_logdet(const EadCall *call) {
    int64_t count = ead_count(call->x[0]);
    EAD_LAUNCH(logdet, ead_reduce_blocks(count), EAD_REDUCE_BLOCK, 0, call->stream, count / 2,
               coupling_of(call, call->x[0], 0), ead_stored(call->x[0]),
               static_cast<double *>(call->workspace), static_cast<unsigned *>(call->state),
               static_cast<float *>(call->y->data));
}

/* da_scale = dy limit slope f', da_shift = 0. One thread one scale. */
static __global__ void logdet_gradient(int64_t count, DeviceCoupling c, const float *dy, EadStored a,
                                       EadStored da) {
    int64_t i = ead_thread();
    if (i >= count) return;
    int64_t at = i + i / c.changed * c.changed;
    float u = c.slope * ead_get(a, at), factor = *dy * (c.limit * c.slope);
    ead_put(da, at, factor * bounded_slope(c, u, bounded(c, u)));
    ead_put(da, at + c.changed, 0);
}

static void run_logdet_gradient(const EadCall *call) {
    int64_t count = ead_count(call->y) / 2;
    EAD_LAUNCH(logdet_gradient, ead_blocks(count), EAD_BLOCK, 0, call->stream, count,
               coupling_of(call, call->x[1], 0), static_cast<const float *>(call->x[0]->data),
               ead_stored(call->x[1]), ead_stored(call->y));
}

EAD_CUDA_KERNEL(coupling, .run = run, .half_in = 3, .half_out = true);
EAD_CUDA_KERNEL(coupling_gradient, .run = run_gradient, .half_in = 3, .half_out = true);
EAD_CUDA_KERNEL(coupling_network_gradient, .run = run_network_gradient, .half_in = 7, .half_out = true);
EAD_CUDA_KERNEL(coupling_logdet, .run = run_logdet, .plan = plan_logdet, .half_in = 1);
EAD_CUDA_KERNEL(coupling_logdet_gradient, .run = run_logdet_gradient, .half_in = 2, .half_out = true);
