/* The repeated border on CUDA: bound by memory bandwidth. */
#include "core/cuda/stored.cuh"

#include "core/ops/pad_replicate/pad_replicate.h"

static int cells_of(const EadCall *call) {
    return static_cast<const EadPadReplicate *>(call->attributes)->cells;
}

/* The nearest number of 0 .. size - 1. */
static __device__ inline int nearest(int at, int size) {
    return at < 0 ? 0 : at < size ? at : size - 1;
}

/* y[n,h,w,c] = x[n, h - cells, w - cells, c], outside of x the nearest. rows: those of y; height: its rows of an image.
 * One thread eight channels of a pixel of y. */
static __global__ void pad(EadRows rows, int cells, int height, EadStored x, EadStored y) {
    EadUnit u = ead_unit(rows);
    if (u.n == 0) return;
    int x_height = height - 2 * cells, x_width = rows.width - 2 * cells, from = nearest(u.w - cells, x_width);
    for (int64_t row = ead_first_row(); row < rows.rows; row += ead_row_step()) {
        int64_t image = row / height;
        int h = nearest(static_cast<int>(row - image * height) - cells, x_height);
        float v[EAD_GROUP];
        ead_load(x, ((image * x_height + h) * x_width + from) * rows.channels + u.c, u.n, v);
        ead_save(y, (row * rows.width + u.w) * rows.channels + u.c, u.n, v);
    }
}

static void run(const EadCall *call) {
    const EadTensor *x = call->x[0], *y = call->y;
    EadRows rows = ead_rows(y);
    EAD_LAUNCH(pad, ead_rows_grid(rows), ead_rows_block(rows), 0, call->stream, rows, cells_of(call), y->h,
               ead_stored(x, x->c), ead_stored(y, y->c));
}

/* Where a cell went in one direction: cells begin .. end - 1 of the padded map. */
typedef struct DeviceCopies {
    int begin, end;
} DeviceCopies;

static __device__ inline DeviceCopies copies_of(int at, int size, int cells) {
    return DeviceCopies{at == 0 ? 0 : at + cells, at == size - 1 ? size + 2 * cells : at + cells + 1};
}

/* dx[n,h,w,c] = the sum of dy over the copies of the cell, in their order. rows: those of dx; height: its rows of an
 * image. */
static __global__ void add_copies(EadRows rows, int cells, int height, EadStored dy, EadStored dx) {
    EadUnit u = ead_unit(rows);
    if (u.n == 0) return;
    DeviceCopies columns = copies_of(u.w, rows.width, cells);
    int padded = rows.width + 2 * cells;
    for (int64_t row = ead_first_row(); row < rows.rows; row += ead_row_step()) {
        int64_t image = row / height, first = image * (height + 2 * cells);
        DeviceCopies copies = copies_of(static_cast<int>(row - image * height), height, cells);
        float sum[EAD_GROUP] = {0}, v[EAD_GROUP];
        for (int h = copies.begin; h < copies.end; h++)
            for (int w = columns.begin; w < columns.end; w++) {
                ead_load(dy, ((first + h) * padded + w) * rows.channels + u.c, u.n, v);
#pragma unroll
                for (int k = 0; k < EAD_GROUP; k++) sum[k] += v[k];
            }
        ead_save(dx, (row * rows.width + u.w) * rows.channels + u.c, u.n, sum);
    }
}

static void run_gradient(const EadCall *call) {
    const EadTensor *dy = call->x[0], *dx = call->y;
    EadRows rows = ead_rows(dx);
    EAD_LAUNCH(add_copies, ead_rows_grid(rows), ead_rows_block(rows), 0, call->stream, rows, cells_of(call),
               dx->h, ead_stored(dy, dy->c), ead_stored(dx, dx->c));
}

EAD_CUDA_KERNEL(pad_replicate, .run = run, .half_in = 1, .half_out = true);
EAD_CUDA_KERNEL(pad_replicate_gradient, .run = run_gradient, .half_in = 1, .half_out = true);
