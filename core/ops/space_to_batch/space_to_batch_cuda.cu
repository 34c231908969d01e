/* Pixels dealt to four pictures and back on CUDA: bound by memory bandwidth. A thread has eight channels of a pixel of
 * what it writes. */
#include "core/cuda/stored.cuh"

template <bool back>
static __global__ void move(EadRows rows, int pictures, int y_height, int x_height, int x_width, EadStored x,
                            EadStored y) {
    EadUnit u = ead_unit(rows);
    if (u.n == 0) return;
    for (int64_t row = ead_first_row(); row < rows.rows; row += ead_row_step()) {
        int64_t picture = row / y_height, h = row - picture * y_height, w = u.w, part;
        if (back) { /* y is the whole, x the parts */
            part = 2 * (h % 2) + w % 2;
            picture += part * pictures, h /= 2, w /= 2;
        } else {
            part = picture / pictures;
            picture %= pictures, h = 2 * h + part / 2, w = 2 * w + part % 2;
        }
        float v[EAD_GROUP] = {0};
        if (h < x_height && w < x_width)
            ead_load(x, ((picture * x_height + h) * x_width + w) * rows.channels + u.c, u.n, v);
        ead_save(y, (row * rows.width + u.w) * rows.channels + u.c, u.n, v);
    }
}

template <bool back> static void run(const EadCall *call) {
    const EadTensor *x = call->x[0], *y = call->y;
    EadRows rows = ead_rows(y);
    EAD_LAUNCH(move<back>, ead_rows_grid(rows), ead_rows_block(rows), 0, call->stream, rows,
               back ? y->n : x->n, y->h, x->h, x->w, ead_stored(x, x->c), ead_stored(y, y->c));
}

EAD_CUDA_KERNEL(space_to_batch, .run = run<false>, .half_in = 1, .half_out = true);
EAD_CUDA_KERNEL(batch_to_space, .run = run<true>, .half_in = 1, .half_out = true);
