/* Max pooling on CUDA: bound by memory bandwidth. */
#include "core/cuda/stored.cuh"

#define EAD_DEVICE_FUNCTION __device__
#include "core/ops/max_pool2d/max_pool2d.h"
#include "core/ops/pool_windows.h"

/* y[oh,ow] = max of x over the part of the window of (oh,ow) that lies in the image; windows are never empty.
 * rows: those of y; one thread eight channels of a pixel of y. */
static __global__ void max_pool(EadRows rows, EadPoolWindows windows, int y_height, int x_height, int x_width,
                                EadStored x, EadStored y) {
    EadUnit u = ead_unit(rows);
    if (u.n == 0) return;
    EadSpan columns = ead_window_inputs(windows, u.w, x_width);
    for (int64_t row = ead_first_row(); row < rows.rows; row += ead_row_step()) {
        int64_t image = row / y_height;
        EadSpan lines = ead_window_inputs(windows, static_cast<int>(row - image * y_height), x_height);
        float v[EAD_GROUP];
        for (int h = lines.begin; h < lines.end; h++)
            for (int w = columns.begin; w < columns.end; w++) {
                float pixel[EAD_GROUP];
                ead_load(x, ((image * x_height + h) * x_width + w) * rows.channels + u.c, u.n, pixel);
                bool start = h == lines.begin && w == columns.begin;
#pragma unroll
                for (int k = 0; k < EAD_GROUP; k++) v[k] = start || pixel[k] > v[k] ? pixel[k] : v[k];
            }
        ead_save(y, (row * rows.width + u.w) * rows.channels + u.c, u.n, v);
    }
}

/* sum[k] += dy[k] where pixel (h,w) of x has the first of the largest values of a window. image: the first pixel of its
 * image; dy: the window's. */
static __device__ inline void add_window(const EadRows &rows, const EadUnit &u, const EadStored &x,
                                         int64_t image, int h, EadSpan lines, EadSpan columns,
                                         const float dy[EAD_GROUP], float sum[EAD_GROUP]) {
    float best[EAD_GROUP];
    bool mine[EAD_GROUP];
    for (int i = lines.begin; i < lines.end; i++)
        for (int j = columns.begin; j < columns.end; j++) {
            float pixel[EAD_GROUP];
            ead_load(x, (image + static_cast<int64_t>(i) * rows.width + j) * rows.channels + u.c, u.n, pixel);
            bool start = i == lines.begin && j == columns.begin, here = i == h && j == u.w;
#pragma unroll
            for (int k = 0; k < EAD_GROUP; k++) {
                bool larger = start || pixel[k] > best[k];
                best[k] = larger ? pixel[k] : best[k];
                mine[k] = larger ? here : mine[k];
            }
        }
#pragma unroll
    for (int k = 0; k < EAD_GROUP; k++) sum[k] += mine[k] ? dy[k] : 0.0f;
}

/* dx[h,w] = sum of dy over the windows whose largest value (h,w) has: a gather, so that nothing is added atomically.
 * rows: those of dx; one thread eight channels of a pixel. */
static __global__ void max_pool_gradient(EadRows rows, EadPoolWindows windows, int x_height, int y_height,
                                         int y_width, EadStored dy, EadStored x, EadStored dx) {
    EadUnit u = ead_unit(rows);
    if (u.n == 0) return;
    EadSpan across = ead_windows_with(windows, u.w, y_width);
    for (int64_t row = ead_first_row(); row < rows.rows; row += ead_row_step()) {
        int64_t image = row / x_height;
        int h = static_cast<int>(row - image * x_height);
        EadSpan down = ead_windows_with(windows, h, y_height);
        float sum[EAD_GROUP] = {0};
        for (int oh = down.begin; oh < down.end; oh++)
            for (int ow = across.begin; ow < across.end; ow++) {
                float v[EAD_GROUP];
                ead_load(dy, ((image * y_height + oh) * y_width + ow) * rows.channels + u.c, u.n, v);
                add_window(rows, u, x, image * x_height * rows.width, h,
                           ead_window_inputs(windows, oh, x_height),
                           ead_window_inputs(windows, ow, rows.width), v, sum);
            }
        ead_save(dx, (row * rows.width + u.w) * rows.channels + u.c, u.n, sum);
    }
}

static EadPoolWindows windows_of(const EadCall *call) {
    const EadMaxPool2d *a = static_cast<const EadMaxPool2d *>(call->attributes);
    return EadPoolWindows{a->kernel, a->stride, a->padding};
}

static void run(const EadCall *call) {
    const EadTensor *x = call->x[0], *y = call->y;
    EadRows rows = ead_rows(y);
    EAD_LAUNCH(max_pool, ead_rows_grid(rows), ead_rows_block(rows), 0, call->stream, rows, windows_of(call),
               y->h, x->h, x->w, ead_stored(x, x->c), ead_stored(y, y->c));
}

static void run_gradient(const EadCall *call) {
    const EadTensor *dy = call->x[0], *x = call->x[1], *dx = call->y;
    EadRows rows = ead_rows(dx);
    EAD_LAUNCH(max_pool_gradient, ead_rows_grid(rows), ead_rows_block(rows), 0, call->stream, rows,
               windows_of(call), x->h, dy->h, dy->w, ead_stored(dy, dy->c), ead_stored(x, x->c),
               ead_stored(dx, dx->c));
}

EAD_CUDA_KERNEL(max_pool2d, .run = run, .half_in = 1, .half_out = true);
EAD_CUDA_KERNEL(max_pool2d_gradient, .run = run_gradient, .half_in = 3, .half_out = true);
