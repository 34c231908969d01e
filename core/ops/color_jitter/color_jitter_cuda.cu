/* Colour jitter on CUDA: the same bytes as on the CPU. Contrast needs the mean gray of the image first: a
 * launch that leaves a partial sum a block. Sums of integers in double are exact, so their order does not
 * matter. */
#define EAD_DEVICE_FUNCTION __device__
#include "core/cuda/reduce.cuh"

#include "core/image/color_pixels.h"
#include "core/ops/color_jitter/color_jitter.h"

constexpr int PIXELS_A_THREAD = 16;
constexpr unsigned MAX_SUMS = 64;

static __device__ inline EadColorJitter drawn(EadDrawJitter draw, const int64_t *step) {
    return ead_draw_color_jitter(draw.seed, draw.stream, static_cast<uint64_t>(*step) + 1);
}

/* sums[block] = gray of the block's pixels: every gridDim.x-th stretch of EAD_REDUCE_BLOCK. */
static __global__ void sum_grays(int64_t pixels, EadDrawJitter draw, const int64_t *step, const uint8_t *x,
                                 double *sums) {
    if (drawn(draw, step).change != EAD_CONTRAST) return;
    double sum = 0;
    for (int64_t i = ead_thread(); i < pixels; i += static_cast<int64_t>(gridDim.x) * EAD_REDUCE_BLOCK)
        sum += ead_gray_of(x + 3 * i);
    sum = ead_block_sum(sum);
    if (threadIdx.x == 0) sums[blockIdx.x] = sum;
}

/* One thread a pixel. */
static __global__ void jitter(int64_t pixels, EadDrawJitter draw, const int64_t *step, const uint8_t *x,
                              const double *sums, unsigned sum_count, uint8_t *y) {
    EadColorJitter j = drawn(draw, step);
    int from = 0;
    if (j.change == EAD_CONTRAST) from = ead_mean_gray(ead_sum_partials(sums, sum_count), pixels);
    int64_t i = ead_thread();
    if (i >= pixels) return;
    if (j.change == EAD_SATURATION) from = static_cast<int>(ead_gray_of(x + 3 * i));
    for (int c = 0; c < 3; c++) y[3 * i + c] = ead_blend(from, x[3 * i + c], j.factor);
}

static unsigned sum_count(int64_t pixels) {
    unsigned blocks = ead_blocks(pixels, EAD_REDUCE_BLOCK * PIXELS_A_THREAD);
    return blocks < MAX_SUMS ? blocks : MAX_SUMS;
}

static void plan(EadCall *call) {
    call->workspace_bytes = sum_count(ead_count(call->y) / 3) * sizeof(double);
}

static void run(const EadCall *call) {
    int64_t pixels = ead_count(call->y) / 3;
    EadDrawJitter draw = *static_cast<const EadDrawJitter *>(call->attributes);
    const int64_t *step = static_cast<const int64_t *>(call->x[1]->data);
    const uint8_t *x = static_cast<const uint8_t *>(call->x[0]->data);
    double *sums = static_cast<double *>(call->workspace);
    EAD_LAUNCH(sum_grays, sum_count(pixels), EAD_REDUCE_BLOCK, 0, call->stream, pixels, draw, step, x, sums);
    EAD_LAUNCH(jitter, ead_blocks(pixels, EAD_REDUCE_BLOCK), EAD_REDUCE_BLOCK, 0, call->stream, pixels, draw,
               step, x, sums, sum_count(pixels), static_cast<uint8_t *>(call->y->data));
}

EAD_CUDA_KERNEL(color_jitter, .run = run, .plan = plan);
