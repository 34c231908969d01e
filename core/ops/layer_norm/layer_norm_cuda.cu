/* Layer normalization on CUDA: bound by memory bandwidth, one launch each. */
#include "core/cuda/reduce.cuh"

#include "core/ops/layer_norm/layer_norm.h"

constexpr int64_t MAX_SLICES = 128; /* blocks that share an image */

typedef struct Images {
    int images;
    int64_t count; /* numbers of an image */
    unsigned slices;
    float epsilon;
} Images;

static Images images_of(const EadCall *call, const EadTensor *x) {
    Images s = {x->n, static_cast<int64_t>(x->h) * x->w * x->c, 0, 0};
    int64_t slices = ead_reduce_blocks(s.count);
    s.slices = static_cast<unsigned>(slices < MAX_SLICES ? slices : MAX_SLICES);
    if (call->attributes)
        s.epsilon = static_cast<float>(static_cast<const EadLayerNorm *>(call->attributes)->epsilon);
    return s;
}

static const float *floats(const EadTensor *t) {
    return static_cast<const float *>(t->data);
}

/* y[image] = S0, S1: the sums over an image of u scale and of u scale (v - mean) / s, in double, or with no scale and
 * statistics (v is u) mean and variance of u. blockIdx.y is the image, blockIdx.x the slice; partials
 * [images][2][slices]; the last block of an image adds its slices up. */
static __global__ void sum_images(Images s, EadStored u, EadStored v, const float *scale,
                                  const float *statistics, double *partials, unsigned *counters, float *y) {
    unsigned image = blockIdx.y;
    double sums[2] = {0, 0}, mean = statistics ? static_cast<double>(statistics[2 * image]) : 0;
    int64_t step = static_cast<int64_t>(gridDim.x) * EAD_REDUCE_BLOCK;
    for (int64_t i = ead_thread(); i < s.count; i += step) {
        double value = static_cast<double>(ead_get(u, image * s.count + i));
        if (scale) value *= static_cast<double>(__ldg(scale + i));
        sums[0] += value;
        sums[1] += value * (static_cast<double>(ead_get(v, image * s.count + i)) - mean);
    }
    double *mine = partials + static_cast<int64_t>(image) * 2 * s.slices;
    for (int k = 0; k < 2; k++) {
        sums[k] = ead_block_sum(sums[k]);
        if (threadIdx.x == 0) mine[k * static_cast<int64_t>(s.slices) + blockIdx.x] = sums[k];
    }
    if (!ead_last_block(counters + image, s.slices)) return;
    for (int k = 0; k < 2; k++)
        sums[k] = ead_sum_partials(mine + k * static_cast<int64_t>(s.slices), s.slices);
    if (threadIdx.x) return;
    double count = static_cast<double>(s.count);
    if (statistics) {
        sums[1] /= static_cast<double>(sqrtf(statistics[2 * image + 1] + s.epsilon));
    } else {
        sums[0] /= count;
        sums[1] = sums[1] / count - sums[0] * sums[0];
        sums[1] = sums[1] < 0 ? 0 : sums[1];
    }
    y[2 * image] = static_cast<float>(sums[0]);
    y[2 * image + 1] = static_cast<float>(sums[1]);
}

static void plan_sums(EadCall *call) {
    Images s = images_of(call, call->x[0]);
    size_t images = static_cast<size_t>(s.images);
    call->workspace_bytes = images * 2 * s.slices * sizeof(double);
    call->state_bytes = images * sizeof(unsigned);
}

static void launch_sums(const EadCall *call, const EadTensor *v, const float *scale,
                        const float *statistics) {
    Images s = images_of(call, call->x[0]);
    EAD_LAUNCH(sum_images, dim3(s.slices, static_cast<unsigned>(s.images)), EAD_REDUCE_BLOCK, 0, call->stream,
               s, ead_stored(call->x[0]), ead_stored(v), scale, statistics,
               static_cast<double *>(call->workspace), static_cast<unsigned *>(call->state),
               static_cast<float *>(call->y->data));
}

static void run_statistics(const EadCall *call) {
    launch_sums(call, call->x[0], NULL, NULL);
}

static void run_gradient_sums(const EadCall *call) {
    launch_sums(call, call->x[1], floats(call->x[3]), floats(call->x[2]));
}

/* y = (x - mean) / s scale + shift. One thread one number. */
static __global__ void layer_norm(Images s, EadStored x, const float *statistics, const float *scale,
                                  const float *shift, EadStored y) {
    int64_t i = ead_thread();
    if (i >= s.images * s.count) return;
    int64_t image = i / s.count, element = i - image * s.count;
    float mean = __ldg(statistics + 2 * image),
          factor = 1 / sqrtf(__ldg(statistics + 2 * image + 1) + s.epsilon);
    ead_put(y, i, (ead_get(x, i) - mean) * factor * __ldg(scale + element) + __ldg(shift + element));
}

static void run(const EadCall *call) {
    EAD_LAUNCH(layer_norm, ead_blocks(ead_count(call->y)), EAD_BLOCK, 0, call->stream,
               images_of(call, call->y), ead_stored(call->x[0]), floats(call->x[1]), floats(call->x[2]),
               floats(call->x[3]), ead_stored(call->y));
}

/* dx = (dy scale - S0 / m - (x - mean) S1 / m / s) / s. One thread one number. */
static __global__ void gradient(Images s, EadStored dy, EadStored x, const float *statistics,
                                const float *scale, const float *sums, EadStored dx) {
    int64_t i = ead_thread();
    if (i >= s.images * s.count) return;
    int64_t image = i / s.count, element = i - image * s.count;
    float mean = __ldg(statistics + 2 * image),
          factor = 1 / sqrtf(__ldg(statistics + 2 * image + 1) + s.epsilon);
    float count = static_cast<float>(s.count), constant = __ldg(sums + 2 * image) / count;
    float slope = __ldg(sums + 2 * image + 1) / count * factor;
    ead_put(dx, i,
            factor * (ead_get(dy, i) * __ldg(scale + element) - constant - (ead_get(x, i) - mean) * slope));
}

static void run_gradient(const EadCall *call) {
    EAD_LAUNCH(gradient, ead_blocks(ead_count(call->y)), EAD_BLOCK, 0, call->stream, images_of(call, call->y),
               ead_stored(call->x[0]), ead_stored(call->x[1]), floats(call->x[2]), floats(call->x[3]),
               floats(call->x[4]), ead_stored(call->y));
}

/* The sums over the images of dy and of dy (x - mean) / s, in their order. One thread one element of an image. */
static __global__ void parameter_gradient(Images s, EadStored dy, EadStored x, const float *statistics,
                                          float *both) {
    int64_t i = ead_thread();
    if (i >= s.count) return;
    float shift = 0, scale = 0;
    for (int n = 0; n < s.images; n++) {
        float mean = __ldg(statistics + 2 * n), factor = 1 / sqrtf(__ldg(statistics + 2 * n + 1) + s.epsilon);
        float d = ead_get(dy, n * s.count + i);
        shift += d;
        scale += d * ((ead_get(x, n * s.count + i) - mean) * factor);
    }
    both[i] = shift;
    both[s.count + i] = scale;
}

static void run_parameter_gradient(const EadCall *call) {
    Images s = images_of(call, call->x[0]);
    EAD_LAUNCH(parameter_gradient, ead_blocks(s.count), EAD_BLOCK, 0, call->stream, s, ead_stored(call->x[0]),
               ead_stored(call->x[1]), floats(call->x[2]), static_cast<float *>(call->y->data));
}

EAD_CUDA_KERNEL(layer_statistics, .run = run_statistics, .plan = plan_sums, .half_in = 1);
EAD_CUDA_KERNEL(layer_norm, .run = run, .half_in = 1, .half_out = true);
EAD_CUDA_KERNEL(layer_norm_gradient_sums, .run = run_gradient_sums, .plan = plan_sums, .half_in = 3);
EAD_CUDA_KERNEL(layer_norm_gradient, .run = run_gradient, .half_in = 3, .half_out = true);
EAD_CUDA_KERNEL(layer_norm_parameter_gradient, .run = run_parameter_gradient, .half_in = 3);
