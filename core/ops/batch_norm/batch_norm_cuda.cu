/* Batch normalisation on CUDA: bound by memory bandwidth, one launch each. */
#include "core/cuda/pair_sums.cuh"

#include "core/ops/batch_norm/batch_norm.h"

static float epsilon_of(const EadCall *call) {
    return static_cast<float>(static_cast<const EadBatchNorm *>(call->attributes)->epsilon);
}

static const float *floats(const EadTensor *t) {
    return static_cast<const float *>(t->data);
}

static void run_statistics(const EadCall *call) {
    ead_pair_sums(call, call->x[0], NULL, {true, 0});
}

static void run_gradient_sums(const EadCall *call) {
    ead_pair_sums(call, call->x[1], floats(call->x[2]), {false, epsilon_of(call)});
}

/* running[i] = kept running[i] + weight of its row batch[i]. One thread one value. */
static __global__ void update(int channels, float kept, float mean_weight, float variance_weight,
                              const float *batch, float *running) {
    int64_t i = ead_thread();
    if (i >= 2 * channels) return;
    running[i] = kept * running[i] + (i < channels ? mean_weight : variance_weight) * batch[i];
}

static void run_update(const EadCall *call) {
    const EadBatchNormUpdate *a = static_cast<const EadBatchNormUpdate *>(call->attributes);
    EAD_LAUNCH(update, ead_blocks(ead_count(call->y)), EAD_BLOCK, 0, call->stream, call->y->c,
               static_cast<float>(a->kept), static_cast<float>(a->mean_weight),
               static_cast<float>(a->variance_weight), floats(call->x[1]),
               static_cast<float *>(call->y->data));
}

/* y[r,c] = (x[r,c] - mean[c]) scale[c] / sqrt(variance[c] + epsilon) + shift[c]. A thread has eight channels. */
static __global__ void batch_norm(EadRows pixels, float epsilon, EadStored x, const float *mean,
                                  const float *scale, const float *shift, EadStored y) {
    EadUnit u = ead_unit(pixels);
    float factor[EAD_GROUP];
    if (u.n == 0) return;
#pragma unroll
    for (int k = 0; k < EAD_GROUP; k++)
        if (k < u.n) factor[k] = scale[u.c + k] / sqrtf(mean[pixels.channels + u.c + k] + epsilon);
    for (int64_t p = ead_first_row(); p < pixels.rows; p += ead_row_step()) {
        float v[EAD_GROUP];
        ead_load(x, p * pixels.channels + u.c, u.n, v);
#pragma unroll
        for (int k = 0; k < EAD_GROUP; k++)
            if (k < u.n) v[k] = (v[k] - __ldg(mean + u.c + k)) * factor[k] + __ldg(shift + u.c + k);
        ead_save(y, p * pixels.channels + u.c, u.n, v);
    }
}

static void run(const EadCall *call) {
    EadRows pixels = ead_pixels(call->y);
    int c = call->y->c;
    EAD_LAUNCH(batch_norm, ead_rows_grid(pixels), ead_rows_block(pixels), 0, call->stream, pixels,
               epsilon_of(call), ead_stored(call->x[0], c), floats(call->x[1]), floats(call->x[2]),
               floats(call->x[3]), ead_stored(call->y, c));
}

/* dx[r,c] = scale[c] / s (dy - S0[c] / rows - (x - mean[c]) S1[c] / rows / s), s = sqrt(variance[c] + epsilon). A
 * thread has eight channels. */
static __global__ void gradient(EadRows pixels, float epsilon, EadStored dy, EadStored x, const float *mean,
                                const float *sums, const float *scale, EadStored dx) {
    EadUnit u = ead_unit(pixels);
    float factor[EAD_GROUP], constant[EAD_GROUP], slope[EAD_GROUP], rows = static_cast<float>(pixels.rows);
    if (u.n == 0) return;
#pragma unroll
    for (int k = 0; k < EAD_GROUP; k++) {
        if (k >= u.n) continue;
        float s = sqrtf(mean[pixels.channels + u.c + k] + epsilon);
        factor[k] = scale[u.c + k] / s;
        constant[k] = sums[u.c + k] / rows;
        slope[k] = sums[pixels.channels + u.c + k] / rows / s;
    }
    for (int64_t p = ead_first_row(); p < pixels.rows; p += ead_row_step()) {
        float v[EAD_GROUP], w[EAD_GROUP];
        ead_load(dy, p * pixels.channels + u.c, u.n, v);
        ead_load(x, p * pixels.channels + u.c, u.n, w);
#pragma unroll
        for (int k = 0; k < EAD_GROUP; k++)
            if (k < u.n) v[k] = factor[k] * (v[k] - constant[k] - (w[k] - __ldg(mean + u.c + k)) * slope[k]);
        ead_save(dx, p * pixels.channels + u.c, u.n, v);
    }
}

static void run_gradient(const EadCall *call) {
    EadRows pixels = ead_pixels(call->y);
    int c = call->y->c;
    EAD_LAUNCH(gradient, ead_rows_grid(pixels), ead_rows_block(pixels), 0, call->stream, pixels,
               epsilon_of(call), ead_stored(call->x[0], c), ead_stored(call->x[1], c), floats(call->x[2]),
               floats(call->x[3]), floats(call->x[4]), ead_stored(call->y, c));
}

EAD_CUDA_KERNEL(batch_statistics, .run = run_statistics, .plan = ead_pair_sums_plan, .half_in = 1);
EAD_CUDA_KERNEL(batch_norm_update, .run = run_update);
EAD_CUDA_KERNEL(batch_norm, .run = run, .half_in = 1, .half_out = true);
EAD_CUDA_KERNEL(batch_norm_gradient_sums, .run = run_gradient_sums, .plan = ead_pair_sums_plan, .half_in = 3);
EAD_CUDA_KERNEL(batch_norm_gradient, .run = run_gradient, .half_in = 3, .half_out = true);
