/* Average pooling on CUDA: bound by memory bandwidth. */
#include "core/cuda/stored.cuh"

#define EAD_DEVICE_FUNCTION __device__
#include "core/ops/avg_pool2d/avg_pool2d.h"
#include "core/ops/pool_windows.h"

/* Sum over the span of rows and columns of an image of x, in that order; v: eight channels from c on. */
static __device__ inline void sum_window(const EadStored &x, int64_t image, int width, int channels,
                                         EadSpan h, EadSpan w, const EadUnit &u, float v[EAD_GROUP]) {
#pragma unroll
    for (int k = 0; k < EAD_GROUP; k++) v[k] = 0;
    for (int i = h.begin; i < h.end; i++)
        for (int j = w.begin; j < w.end; j++) {
            float pixel[EAD_GROUP];
            ead_load(x, image + (static_cast<int64_t>(i) * width + j) * channels + u.c, u.n, pixel);
#pragma unroll
            for (int k = 0; k < EAD_GROUP; k++) v[k] += pixel[k];
        }
}

/* Forward: y[oh,ow] = sum of x over the window of (oh,ow) / kernel². Backward, with x = dy and y = dx:
 * dx[h,w] = sum of dy over the windows that hold (h,w) / kernel²: a gather, so that nothing is added
 * atomically. rows: those of y; one thread eight channels of a pixel of y. */
template <bool backward>
static __global__ void pool(EadRows rows, EadAvgPool2d a, int y_height, int x_height, int x_width,
                            EadStored x, EadStored y) {
    EadUnit u = ead_unit(rows);
    if (u.n == 0) return;
    float factor = 1 / (static_cast<float>(a.kernel) * static_cast<float>(a.kernel));
    EadPoolWindows windows = {a.kernel, a.stride, a.padding};
    EadSpan w = backward ? ead_windows_with(windows, u.w, x_width) : ead_window_inputs(windows, u.w, x_width);
    for (int64_t row = ead_first_row(); row < rows.rows; row += ead_row_step()) {
        int64_t image = row / y_height;
        int i = static_cast<int>(row - image * y_height);
        EadSpan h =
            backward ? ead_windows_with(windows, i, x_height) : ead_window_inputs(windows, i, x_height);
        float v[EAD_GROUP];
        sum_window(x, image * x_height * x_width * rows.channels, x_width, rows.channels, h, w, u, v);
#pragma unroll
        for (int k = 0; k < EAD_GROUP; k++) v[k] *= factor;
        ead_save(y, (row * rows.width + u.w) * rows.channels + u.c, u.n, v);
    }
}

template <bool backward> static void run(const EadCall *call) {
    const EadTensor *x = call->x[0], *y = call->y;
    EadRows rows = ead_rows(y);
    EAD_LAUNCH(pool<backward>, ead_rows_grid(rows), ead_rows_block(rows), 0, call->stream, rows,
               *static_cast<const EadAvgPool2d *>(call->attributes), y->h, x->h, x->w, ead_stored(x, x->c),
               ead_stored(y, y->c));
}

EAD_CUDA_KERNEL(avg_pool2d, .run = run<false>, .half_in = 1, .half_out = true);
EAD_CUDA_KERNEL(avg_pool2d_gradient, .run = run<true>, .half_in = 1, .half_out = true);
