/* Zero border on CUDA: row copies. */
#include "core/cuda/stored.cuh"

#include "core/ops/pad_border/pad_border.h"

/* y[n,h,w,c] = x[n, h - cells, w - cells, c], zero outside of x; negative cells cut a border off. rows: those
 * of y. One thread eight channels of a pixel of y. */
static __global__ void move_border(EadRows rows, int cells, int y_height, int x_height, int x_width,
                                   EadStored x, EadStored y) {
    EadUnit u = ead_unit(rows);
    if (u.n == 0) return;
    int xw = u.w - cells;
    for (int64_t row = ead_first_row(); row < rows.rows; row += ead_row_step()) {
        int64_t image = row / y_height;
        int xh = static_cast<int>(row - image * y_height) - cells;
        float v[EAD_GROUP] = {0};
        if (xh >= 0 && xh < x_height && xw >= 0 && xw < x_width)
            ead_load(x, ((image * x_height + xh) * x_width + xw) * rows.channels + u.c, u.n, v);
        ead_save(y, (row * rows.width + u.w) * rows.channels + u.c, u.n, v);
    }
}

/* sign: 1 adds the border, -1 cuts it off. */
template <int sign> static void run(const EadCall *call) {
    const EadTensor *x = call->x[0], *y = call->y;
    int cells = sign * static_cast<const EadPadBorder *>(call->attributes)->cells;
    EadRows rows = ead_rows(y);
    EAD_LAUNCH(move_border, ead_rows_grid(rows), ead_rows_block(rows), 0, call->stream, rows, cells, y->h,
               x->h, x->w, ead_stored(x, x->c), ead_stored(y, y->c));
}

EAD_CUDA_KERNEL(pad_border, .run = run<1>);
EAD_CUDA_KERNEL(pad_border_gradient, .run = run<-1>);
