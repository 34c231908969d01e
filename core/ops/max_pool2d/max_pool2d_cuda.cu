/* Max pooling on CUDA: bound by memory bandwidth. */
#include "core/cuda/stored.cuh"

#include "core/ops/max_pool2d/max_pool2d.h"

/* y[oh,ow] = max of x over the part of the window of (oh,ow) that lies in the image; windows are never empty.
 * rows: those of y; one thread eight channels of a pixel of y. */
static __global__ void max_pool(EadRows rows, EadMaxPool2d a, int y_height, int x_height, int x_width,
                                EadStored x, EadStored y) {
    EadUnit u = ead_unit(rows);
    if (u.n == 0) return;
    int left = u.w * a.stride - a.padding, first = max(left, 0), end = min(left + a.kernel, x_width);
    for (int64_t row = ead_first_row(); row < rows.rows; row += ead_row_step()) {
        int64_t image = row / y_height;
        int top = static_cast<int>(row - image * y_height) * a.stride - a.padding, begin = max(top, 0);
        float v[EAD_GROUP];
        for (int h = begin; h < min(top + a.kernel, x_height); h++)
            for (int w = first; w < end; w++) {
                float pixel[EAD_GROUP];
                ead_load(x, ((image * x_height + h) * x_width + w) * rows.channels + u.c, u.n, pixel);
                bool start = h == begin && w == first;
#pragma unroll
                for (int k = 0; k < EAD_GROUP; k++) v[k] = start || pixel[k] > v[k] ? pixel[k] : v[k];
            }
        ead_save(y, (row * rows.width + u.w) * rows.channels + u.c, u.n, v);
    }
}

static void run(const EadCall *call) {
    const EadTensor *x = call->x[0], *y = call->y;
    EadRows rows = ead_rows(y);
    EAD_LAUNCH(max_pool, ead_rows_grid(rows), ead_rows_block(rows), 0, call->stream, rows,
               *static_cast<const EadMaxPool2d *>(call->attributes), y->h, x->h, x->w, ead_stored(x, x->c),
               ead_stored(y, y->c));
}

EAD_CUDA_KERNEL(max_pool2d, .run = run, .half_in = 1, .half_out = true);
