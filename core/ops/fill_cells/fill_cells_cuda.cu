/* Filling of positions on CUDA: bound by memory bandwidth. */
#include "core/cuda/stored.cuh"

/* A thread has eight channels of a position. */
static __global__ void fill_cells(EadRows pixels, int64_t cells, EadStored x, const float *mask, float value,
                                  EadStored y) {
    EadUnit u = ead_unit(pixels);
    if (u.n == 0) return;
    for (int64_t p = ead_first_row(); p < pixels.rows; p += ead_row_step()) {
        float v[EAD_GROUP];
        int64_t at = p * pixels.channels + u.c;
        ead_load(x, at, u.n, v);
        bool inside = __ldg(mask + p % cells) > 0.0f;
#pragma unroll
        for (int k = 0; k < EAD_GROUP; k++) v[k] = inside ? v[k] : value;
        ead_save(y, at, u.n, v);
    }
}

static void run(const EadCall *call) {
    EadRows pixels = ead_pixels(call->y);
    float value = static_cast<float>(*static_cast<const double *>(call->attributes));
    EAD_LAUNCH(fill_cells, ead_rows_grid(pixels), ead_rows_block(pixels), 0, call->stream, pixels,
               static_cast<int64_t>(call->y->h) * call->y->w, ead_stored(call->x[0], call->y->c),
               static_cast<const float *>(call->x[1]->data), value, ead_stored(call->y, call->y->c));
}

EAD_CUDA_KERNEL(fill_cells, .run = run, .half_in = 1, .half_out = true);
