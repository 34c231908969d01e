/* The permutation of channels on CUDA: bound by memory bandwidth. */
#include "core/cuda/stored.cuh"

/* y[p,c] = x[p, order[c]] for pixel p, or in the gradient (back) y[p, order[c]] = x[p,c]. One thread one
 * element: one side is read or written in order, the other within the same pixel. */
template <bool back>
static __global__ void permute(int64_t count, int channels, const int64_t *order, EadStored x, EadStored y) {
    int64_t i = ead_thread();
    if (i >= count) return;
    int64_t pixel = i / channels * channels, other = pixel + __ldg(order + (i - pixel));
    if (back)
        ead_put(y, other, ead_get(x, i));
    else
        ead_put(y, i, ead_get(x, other));
}

template <bool back> static void run(const EadCall *call) {
    int64_t count = ead_count(call->y);
    EAD_LAUNCH((permute<back>), ead_blocks(count), EAD_BLOCK, 0, call->stream, count, call->y->c,
               static_cast<const int64_t *>(call->x[1]->data), ead_stored(call->x[0]), ead_stored(call->y));
}

EAD_CUDA_KERNEL(permute_channels, .run = run<false>, .half_in = 1, .half_out = true);
EAD_CUDA_KERNEL(permute_channels_gradient, .run = run<true>, .half_in = 1, .half_out = true);
