/* Batch normalisation on CUDA: bound by memory bandwidth, one launch each. */
#include "core/cuda/reduce.cuh"

#include "core/ops/batch_norm/batch_norm.h"

/* A block has WIDE channels and every slices-th group of HIGH rows. */
constexpr unsigned WIDE = 32, HIGH = EAD_REDUCE_BLOCK / WIDE, ROWS_OF_A_THREAD = 16, MAX_SLICES = 128;

typedef struct PairSums {
    int64_t rows;
    int channels;
    unsigned tiles, slices;
    float epsilon; /* of the gradient's sums */
} PairSums;

static PairSums shape_of(const EadTensor *x) {
    PairSums s = {ead_count(x) / x->c, x->c, 0, 0, 0};
    int64_t rows = HIGH * ROWS_OF_A_THREAD, slices = (s.rows + rows - 1) / rows;
    s.tiles = ead_blocks(x->c, WIDE);
    s.slices = static_cast<unsigned>(slices < MAX_SLICES ? slices : MAX_SLICES);
    return s;
}

/* The block's sums over threadIdx.y of both values, in order, in the threads of its first row. */
static __device__ inline void sum_block(double v[2]) {
    __shared__ double parts[2][HIGH][WIDE];
    __syncthreads(); /* the last call's parts have been read */
    parts[0][threadIdx.y][threadIdx.x] = v[0];
    parts[1][threadIdx.y][threadIdx.x] = v[1];
    __syncthreads();
    if (threadIdx.y) return;
    for (unsigned y = 1; y < HIGH; y++)
        for (int k = 0; k < 2; k++) v[k] += parts[k][y][threadIdx.x];
}

/* y[0,c] and y[1,c] from S0 = sum over rows of u and S1 = sum of u (v - mean[c]). With statistics (of v) given they
 * are S0 and S1 / sqrt(variance + epsilon), without (v is u, mean 0) mean and variance of u. In double.
 * partials [slices][2][channels]; the last block of a tile adds its slices up. */
static __global__ void sum_pairs(PairSums s, EadStored u, EadStored v, const float *statistics,
                                 double *partials, unsigned *counters, float *y) {
    int c = static_cast<int>(blockIdx.x * WIDE + threadIdx.x);
    bool mine = c < s.channels;
    double sums[2] = {0, 0}, mean = statistics && mine ? static_cast<double>(statistics[c]) : 0;
    for (int64_t r = ead_first_row(); mine && r < s.rows; r += ead_row_step()) {
        double value = static_cast<double>(ead_get(u, r * s.channels + c));
        sums[0] += value;
        sums[1] += value * (static_cast<double>(ead_get(v, r * s.channels + c)) - mean);
    }
    sum_block(sums);
    for (int k = 0; k < 2; k++)
        if (threadIdx.y == 0 && mine)
            partials[(static_cast<int64_t>(blockIdx.y) * 2 + k) * s.channels + c] = sums[k];
    if (!ead_last_block(counters + blockIdx.x, s.slices)) return;
    sums[0] = sums[1] = 0;
    for (unsigned slice = threadIdx.y; mine && slice < s.slices; slice += HIGH)
        for (int k = 0; k < 2; k++)
            sums[k] += __ldcg(partials + (static_cast<int64_t>(slice) * 2 + k) * s.channels + c);
    sum_block(sums);
    if (threadIdx.y || !mine) return;
    if (statistics) {
        sums[1] /= static_cast<double>(sqrtf(statistics[s.channels + c] + s.epsilon));
    } else {
        sums[0] /= static_cast<double>(s.rows);
        sums[1] = sums[1] / static_cast<double>(s.rows) - sums[0] * sums[0];
        sums[1] = sums[1] < 0 ? 0 : sums[1];
    }
    y[c] = static_cast<float>(sums[0]);
    y[s.channels + c] = static_cast<float>(sums[1]);
}

static void plan(EadCall *call) {
    PairSums s = shape_of(call->x[0]);
    call->workspace_bytes = s.slices * 2 * static_cast<size_t>(s.channels) * sizeof(double);
    call->state_bytes = s.tiles * sizeof(unsigned);
}

static float epsilon_of(const EadCall *call) {
    return static_cast<float>(static_cast<const EadBatchNorm *>(call->attributes)->epsilon);
}

static const float *floats(const EadTensor *t) {
    return static_cast<const float *>(t->data);
}

static void launch_sums(const EadCall *call, PairSums s, const EadTensor *v, const float *statistics) {
    EAD_LAUNCH(sum_pairs, dim3(s.tiles, s.slices), dim3(WIDE, HIGH), 0, call->stream, s,
               ead_stored(call->x[0]), ead_stored(v), statistics, static_cast<double *>(call->workspace),
               static_cast<unsigned *>(call->state), static_cast<float *>(call->y->data));
}

static void run_statistics(const EadCall *call) {
    launch_sums(call, shape_of(call->x[0]), call->x[0], NULL);
}

static void run_gradient_sums(const EadCall *call) {
    PairSums s = shape_of(call->x[0]);
    s.epsilon = epsilon_of(call);
    launch_sums(call, s, call->x[1], floats(call->x[2]));
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

EAD_CUDA_KERNEL(batch_statistics, .run = run_statistics, .plan = plan, .half_in = 1);
EAD_CUDA_KERNEL(batch_norm_update, .run = run_update);
EAD_CUDA_KERNEL(batch_norm, .run = run, .half_in = 1, .half_out = true);
EAD_CUDA_KERNEL(batch_norm_gradient_sums, .run = run_gradient_sums, .plan = plan, .half_in = 3);
EAD_CUDA_KERNEL(batch_norm_gradient, .run = run_gradient, .half_in = 3, .half_out = true);
