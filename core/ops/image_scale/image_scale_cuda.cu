/* Channels scaled image by image on CUDA: bound by memory bandwidth. */
#include "core/cuda/stored.cuh"

/* y[p,c] = x[p,c] scale[image of p,c]; area: pixels of an image. A thread has eight channels. */
static __global__ void image_scale(EadRows pixels, int64_t area, EadStored x, const float *scale,
                                   EadStored y) {
    EadUnit u = ead_unit(pixels);
    if (u.n == 0) return;
    for (int64_t p = ead_first_row(); p < pixels.rows; p += ead_row_step()) {
        float v[EAD_GROUP];
        const float *s = scale + p / area * pixels.channels + u.c;
        ead_load(x, p * pixels.channels + u.c, u.n, v);
#pragma unroll
        for (int k = 0; k < EAD_GROUP; k++)
            if (k < u.n) v[k] *= __ldg(s + k);
        ead_save(y, p * pixels.channels + u.c, u.n, v);
    }
}

static void run(const EadCall *call) {
    EadRows pixels = ead_pixels(call->y);
    int64_t area = static_cast<int64_t>(call->y->h) * call->y->w;
    EAD_LAUNCH(image_scale, ead_rows_grid(pixels), ead_rows_block(pixels), 0, call->stream, pixels, area,
               ead_stored(call->x[0], call->y->c), static_cast<const float *>(call->x[1]->data),
               ead_stored(call->y, call->y->c));
}

EAD_CUDA_KERNEL(image_scale, .run = run, .half_in = 1, .half_out = true);
