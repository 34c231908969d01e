/* Per-channel affine map on CUDA: bound by memory bandwidth. */
#include "core/cuda/pair_sums.cuh"

/* y[p,c] = x[p,c] scale[c] + shift[c] for pixel p; one: scale[0] for all channels; shift may be NULL. A thread has eight
 * channels. */
static __global__ void channel_affine(EadRows pixels, EadStored x, bool one, const float *scale,
                                      const float *shift, EadStored y) {
    EadUnit u = ead_unit(pixels);
    if (u.n == 0) return;
    for (int64_t p = ead_first_row(); p < pixels.rows; p += ead_row_step()) {
        float v[EAD_GROUP];
        int64_t at = p * pixels.channels + u.c;
        ead_load(x, at, u.n, v);
#pragma unroll
        for (int k = 0; k < EAD_GROUP; k++) {
            if (k >= u.n) continue;
            v[k] *= __ldg(scale + (one ? 0 : u.c + k));
            if (shift) v[k] += __ldg(shift + u.c + k);
        }
        ead_save(y, at, u.n, v);
    }
}

static void run(const EadCall *call) {
    EadRows pixels = ead_pixels(call->y);
    const float *scale = static_cast<const float *>(call->x[1]->data),
                *shift = call->x[2] ? static_cast<const float *>(call->x[2]->data) : NULL;
    EAD_LAUNCH(channel_affine, ead_rows_grid(pixels), ead_rows_block(pixels), 0, call->stream, pixels,
               ead_stored(call->x[0], call->y->c), call->x[1]->c < call->y->c, scale, shift,
               ead_stored(call->y, call->y->c));
}

static void run_gradient_sums(const EadCall *call) {
    ead_pair_sums(call, call->x[1], NULL, {false, 0});
}

EAD_CUDA_KERNEL(channel_affine_gradient_sums, .run = run_gradient_sums, .plan = ead_pair_sums_plan,
                .half_in = 3);
EAD_CUDA_KERNEL(channel_affine, .run = run, .half_in = 1, .half_out = true);
