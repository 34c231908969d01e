/* The Gaussian on CUDA: one kernel for rows and one for columns, one thread a value, sums in the order of the
 * CPU. The taps come as an argument: made on the host, they are those of the CPU. */
#include "core/cuda/stored.cuh"

#include "core/ops/gaussian_filter/gaussian_filter.h"

/* Positions of an axis of `size`, `step` values apart. */
typedef struct SmoothedAxis {
    int64_t step;
    int size;
} SmoothedAxis;

static __device__ inline int64_t mirrored(int i, int size) {
    i = i % (2 * size);
    if (i < 0) i += 2 * size;
    return i < size ? i : 2 * size - 1 - i;
}

static __global__ void smooth(int64_t count, EadGaussianTaps t, SmoothedAxis axis, EadStored x, EadStored y) {
    int64_t at = ead_thread();
    if (at >= count) return;
    int position = static_cast<int>(at / axis.step % axis.size);
    int64_t first = at - position * axis.step;
    float sum = __fmul_rn(t.taps[0], ead_get(x, at));
    for (int k = 1; k <= t.radius; k++) {
        float before = ead_get(x, first + mirrored(position - k, axis.size) * axis.step),
              after = ead_get(x, first + mirrored(position + k, axis.size) * axis.step);
        sum = __fadd_rn(sum, __fmul_rn(t.taps[k], __fadd_rn(before, after)));
    }
    ead_put(y, at, sum);
}

static void run(const EadCall *call) {
    const EadTensor *x = call->x[0], *y = call->y;
    EadGaussianTaps t = ead_gaussian_taps(static_cast<const EadGaussianFilter *>(call->attributes)->sigma);
    int64_t count = ead_count(y), row = static_cast<int64_t>(x->w) * x->c;
    EadTensor between = *y;
    between.type = EAD_REAL;
    between.data = call->workspace;
    EAD_LAUNCH(smooth, ead_blocks(count), EAD_BLOCK, 0, call->stream, count, t, (SmoothedAxis{row, x->h}),
               ead_stored(x), ead_stored(&between));
    EAD_LAUNCH(smooth, ead_blocks(count), EAD_BLOCK, 0, call->stream, count, t, (SmoothedAxis{x->c, x->w}),
               ead_stored(&between), ead_stored(y));
}

static void plan(EadCall *call) {
    call->workspace_bytes = static_cast<size_t>(ead_count(call->y)) * sizeof(float);
}

EAD_CUDA_KERNEL(gaussian_filter, .run = run, .plan = plan, .half_in = 1, .half_out = true);
