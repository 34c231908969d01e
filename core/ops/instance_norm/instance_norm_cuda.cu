/* Instance normalisation on CUDA: bound by memory bandwidth. The sums take one launch: a block has 32 channels of an image
 * and all its pixels, which are few where the channels are many. */
#include "core/cuda/stored.cuh"

#include "core/ops/instance_norm/instance_norm.h"

constexpr int WIDE = 32, HIGH = 8;

/* Sums over the threads of a column, in order, in those of the first row. */
static __device__ void sum_columns(double v[2]) {
    __shared__ double parts[2][HIGH][WIDE];
    for (int k = 0; k < 2; k++) parts[k][threadIdx.y][threadIdx.x] = v[k];
    __syncthreads();
    if (threadIdx.y) return;
    for (int y = 1; y < HIGH; y++)
        for (int k = 0; k < 2; k++) v[k] += parts[k][y][threadIdx.x];
}

/* y [N][2][channels]. Without statistics: of u, mean and 1 / sqrt(variance + epsilon); with them S0 = sum of u and S1 = sum of u
 * (v - mean) / s, in double. blockIdx.x: 32 channels; blockIdx.y: the image. */
static __global__ void sum_pixels(int64_t pixels, int channels, double epsilon, EadStored u, EadStored v,
                                  const float *statistics, float *y) {
    int c = static_cast<int>(blockIdx.x) * WIDE + static_cast<int>(threadIdx.x);
    int64_t image = blockIdx.y, first = image * pixels * channels + c;
    bool mine = c < channels;
    double sums[2] = {0, 0}, centre = 0, taken = 0;
    if (mine)
        centre = static_cast<double>(statistics ? statistics[image * 2 * channels + c] : ead_get(u, first));
    if (!statistics) taken = centre;
    for (int64_t p = threadIdx.y; mine && p < pixels; p += HIGH) {
        double value = static_cast<double>(ead_get(u, first + p * channels)) - taken;
        sums[0] += value;
        sums[1] += value * (static_cast<double>(ead_get(v, first + p * channels)) - centre);
    }
    sum_columns(sums);
    if (threadIdx.y || !mine) return;
    if (statistics) {
        sums[1] *= static_cast<double>(statistics[image * 2 * channels + channels + c]);
    } else {
        double mean = sums[0] / static_cast<double>(pixels),
               variance = sums[1] / static_cast<double>(pixels) - mean * mean;
        sums[0] = centre + mean;
        sums[1] = 1 / sqrt((variance < 0 ? 0 : variance) + epsilon);
    }
    y[image * 2 * channels + c] = static_cast<float>(sums[0]);
    y[image * 2 * channels + channels + c] = static_cast<float>(sums[1]);
}

static void launch_sums(const EadCall *call, const EadTensor *v, double epsilon, const float *statistics) {
    const EadTensor *x = call->x[0];
    dim3 grid(ead_blocks(x->c, WIDE), static_cast<unsigned>(x->n));
    EAD_LAUNCH(sum_pixels, grid, dim3(WIDE, HIGH), 0, call->stream, static_cast<int64_t>(x->h) * x->w, x->c,
               epsilon, ead_stored(x), ead_stored(v), statistics, static_cast<float *>(call->y->data));
}

static void run_statistics(const EadCall *call) {
    launch_sums(call, call->x[0], static_cast<const EadInstanceNorm *>(call->attributes)->epsilon, NULL);
}

static const float *floats(const EadTensor *t) {
    return static_cast<const float *>(t->data);
}

static void run_gradient_sums(const EadCall *call) {
    launch_sums(call, call->x[1], 0, floats(call->x[2]));
}

/* y = (x - mean) / s. A thread has eight channels of a pixel. */
static __global__ void instance_norm(EadRows rows, int64_t pixels, EadStored x, const float *mean,
                                     EadStored y) {
    EadUnit u = ead_unit(rows);
    if (u.n == 0) return;
    for (int64_t p = ead_first_row(); p < rows.rows; p += ead_row_step()) {
        const float *of = mean + p / pixels * 2 * rows.channels + u.c;
        float v[EAD_GROUP];
        ead_load(x, p * rows.channels + u.c, u.n, v);
#pragma unroll
        for (int k = 0; k < EAD_GROUP; k++)
            if (k < u.n) v[k] = (v[k] - __ldg(of + k)) * __ldg(of + rows.channels + k);
        ead_save(y, p * rows.channels + u.c, u.n, v);
    }
}

static void run(const EadCall *call) {
    EadRows rows = ead_pixels(call->y);
    EAD_LAUNCH(instance_norm, ead_rows_grid(rows), ead_rows_block(rows), 0, call->stream, rows,
               static_cast<int64_t>(call->y->h) * call->y->w, ead_stored(call->x[0], call->y->c),
               floats(call->x[1]), ead_stored(call->y, call->y->c));
}

/* dx = (dy - S0 / n - (x - mean) / s S1 / n) / s. A thread has eight channels of a pixel. */
static __global__ void gradient(EadRows rows, int64_t pixels, EadStored dy, EadStored x, const float *mean,
                                const float *sums, EadStored dx) {
    EadUnit u = ead_unit(rows);
    float share = 1 / static_cast<float>(pixels);
    if (u.n == 0) return;
    for (int64_t p = ead_first_row(); p < rows.rows; p += ead_row_step()) {
        int64_t of = p / pixels * 2 * rows.channels + u.c;
        float v[EAD_GROUP], w[EAD_GROUP];
        ead_load(dy, p * rows.channels + u.c, u.n, v);
        ead_load(x, p * rows.channels + u.c, u.n, w);
#pragma unroll
        for (int k = 0; k < EAD_GROUP; k++) {
            if (k >= u.n) continue;
            float inverse = __ldg(mean + of + rows.channels + k);
            v[k] = inverse *
                   (v[k] - share * __ldg(sums + of + k) -
                    (w[k] - __ldg(mean + of + k)) * inverse * (share * __ldg(sums + of + rows.channels + k)));
        }
        ead_save(dx, p * rows.channels + u.c, u.n, v);
    }
}

static void run_gradient(const EadCall *call) {
    EadRows rows = ead_pixels(call->y);
    int c = call->y->c;
    EAD_LAUNCH(gradient, ead_rows_grid(rows), ead_rows_block(rows), 0, call->stream, rows,
               static_cast<int64_t>(call->y->h) * call->y->w, ead_stored(call->x[0], c),
               ead_stored(call->x[1], c), floats(call->x[2]), floats(call->x[3]), ead_stored(call->y, c));
}

EAD_CUDA_KERNEL(instance_statistics, .run = run_statistics, .half_in = 1);
EAD_CUDA_KERNEL(instance_norm, .run = run, .half_in = 1, .half_out = true);
EAD_CUDA_KERNEL(instance_norm_gradient_sums, .run = run_gradient_sums, .half_in = 3);
EAD_CUDA_KERNEL(instance_norm_gradient, .run = run_gradient, .half_in = 3, .half_out = true);
