/* Mean over channels on CUDA: bound by memory bandwidth. */
#include "core/cuda/reduce.cuh"

/* y[p] = sum of x[p,c] over c / channels, in double. A pixel has `lanes` neighbouring lanes of a warp (a
 * power of two), each of which takes every lanes-th group of eight channels. */
static __global__ void channel_mean(int64_t pixels, int channels, int lanes, EadStored x, float *y) {
    int64_t p = ead_thread() / lanes;
    int lane = static_cast<int>(threadIdx.x) % lanes;
    double sum = 0;
    for (int c = lane * EAD_GROUP; p < pixels && c < channels; c += lanes * EAD_GROUP) {
        float v[EAD_GROUP];
        ead_load(x, p * channels + c, ead_group_size(c, channels), v);
#pragma unroll
        for (int k = 0; k < EAD_GROUP; k++) sum += static_cast<double>(v[k]);
    }
    sum = ead_warp_sum(sum, lanes);
    if (p < pixels && lane == 0) y[p] = static_cast<float>(sum / channels);
}

/* dx[p,c] = dy[p] / channels. One thread eight channels of a pixel. */
static __global__ void channel_mean_gradient(EadRows pixels, const float *dy, EadStored dx) {
    EadUnit u = ead_unit(pixels);
    if (u.n == 0) return;
    for (int64_t p = ead_first_row(); p < pixels.rows; p += ead_row_step()) {
        float v[EAD_GROUP], share = dy[p] / static_cast<float>(pixels.channels);
#pragma unroll
        for (int k = 0; k < EAD_GROUP; k++) v[k] = share;
        ead_save(dx, p * pixels.channels + u.c, u.n, v);
    }
}

static void run(const EadCall *call) {
    int64_t pixels = ead_count(call->y);
    int channels = call->x[0]->c, lanes = 1;
    while (lanes < 32 && lanes * EAD_GROUP < channels) lanes *= 2;
    EAD_LAUNCH(channel_mean, ead_blocks(pixels * lanes, EAD_GROUP_BLOCK), EAD_GROUP_BLOCK, 0, call->stream,
               pixels, channels, lanes, ead_stored(call->x[0], channels),
               static_cast<float *>(call->y->data));
}

static void run_gradient(const EadCall *call) {
    EadRows pixels = ead_pixels(call->y);
    EAD_LAUNCH(channel_mean_gradient, ead_rows_grid(pixels), ead_rows_block(pixels), 0, call->stream, pixels,
               static_cast<const float *>(call->x[0]->data), ead_stored(call->y, call->y->c));
}

EAD_CUDA_KERNEL(channel_mean, .run = run);
EAD_CUDA_KERNEL(channel_mean_gradient, .run = run_gradient);
