/* Slices of channels on CUDA: bound by memory bandwidth. */
#include "core/cuda/stored.cuh"

#include "core/ops/slice_channels/slice_channels.h"

/* y[p,c] = x[p, begin + c] for pixel p, and 0 where x has no such channel: the slice with begin >= 0, its gradient
 * with begin <= 0. A thread has eight channels of y. */
static __global__ void move_channels(EadRows pixels, int begin, int x_channels, EadStored x, EadStored y) {
    EadUnit u = ead_unit(pixels);
    if (u.n == 0) return;
    for (int64_t p = ead_first_row(); p < pixels.rows; p += ead_row_step()) {
        float v[EAD_GROUP] = {0};
        int from = begin + u.c;
        if (from >= 0 && from + u.n <= x_channels)
            ead_load(x, p * x_channels + from, u.n, v);
        else
#pragma unroll
            for (int k = 0; k < EAD_GROUP; k++)
                if (k < u.n && from + k >= 0 && from + k < x_channels)
                    v[k] = ead_get(x, p * x_channels + from + k);
        ead_save(y, p * pixels.channels + u.c, u.n, v);
    }
}

static void launch(const EadCall *call, int begin) {
    EadRows pixels = ead_pixels(call->y);
    const EadTensor *x = call->x[0];
    int unit = x->c % EAD_GROUP == 0 ? begin : x->c;
    EAD_LAUNCH(move_channels, ead_rows_grid(pixels), ead_rows_block(pixels), 0, call->stream, pixels, begin,
               x->c, ead_stored(x, unit), ead_stored(call->y, call->y->c));
}

static void run(const EadCall *call) {
    launch(call, static_cast<const EadChannelRange *>(call->attributes)->begin);
}

static void run_gradient(const EadCall *call) {
    launch(call, -static_cast<const EadChannelRange *>(call->attributes)->begin);
}

EAD_CUDA_KERNEL(slice_channels, .run = run, .half_in = 1, .half_out = true);
EAD_CUDA_KERNEL(slice_channels_gradient, .run = run_gradient, .half_in = 1, .half_out = true);
