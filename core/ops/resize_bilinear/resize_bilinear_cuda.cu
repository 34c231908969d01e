/* Bilinear resize on CUDA. Where an output looks is computed by each thread, in double like on the CPU: a few
 * operations beside eight channels of four pixels. */
#include "core/cuda/stored.cuh"

#include "core/ops/resize_bilinear/resize_bilinear.h"

/* An axis: `in` positions become `out`; output i looks at step (i + half) - half. */
typedef struct Axis {
    int in, out;
    double step, half;
} Axis;

/* An output position: it mixes inputs low and high (equal at the border). */
typedef struct CudaResizeTap {
    int low, high;
    float high_weight; /* low's is 1 - high_weight */
} CudaResizeTap;

static __device__ inline CudaResizeTap tap_of(const Axis &axis, int i) {
    double position = axis.step * (i + axis.half) - axis.half;
    if (position < 0) position = 0;
    int low = min(static_cast<int>(position), axis.in - 1);
    return CudaResizeTap{low, min(low + 1, axis.in - 1), static_cast<float>(position - low)};
}

/* How much an output takes from input i. */
static __device__ inline float weight_of(const CudaResizeTap &tap, int i) {
    return (tap.low == i ? 1 - tap.high_weight : 0) + (tap.high == i ? tap.high_weight : 0);
}

/* The first output whose high input is at least i; outputs that look at i begin there. An estimate that is
 * put right by the taps themselves, so that rounding cannot lose a reader. */
static __device__ inline int first_reader(const Axis &axis, int i) {
    double estimate = axis.step > 0 ? (i - 0.5) / axis.step - 0.5 : 0;
    int o = max(min(static_cast<int>(estimate), axis.out), 0);
    while (o > 0 && tap_of(axis, o - 1).high >= i) o--;
    while (o < axis.out && tap_of(axis, o).high < i) o++;
    return o;
}

/* y = rows mixed of pixels mixed. rows: those of y; one thread eight channels of a pixel of y. */
static __global__ void resize_bilinear(EadRows rows, Axis height, Axis width, EadStored x, EadStored y) {
    EadUnit u = ead_unit(rows);
    if (u.n == 0) return;
    CudaResizeTap column = tap_of(width, u.w);
    float right = column.high_weight, left = 1 - right;
    for (int64_t row = ead_first_row(); row < rows.rows; row += ead_row_step()) {
        int64_t image = row / height.out;
        CudaResizeTap tap = tap_of(height, static_cast<int>(row - image * height.out));
        float a[EAD_GROUP], b[EAD_GROUP], d[EAD_GROUP], e[EAD_GROUP], down = tap.high_weight, up = 1 - down;
        int64_t upper = (image * height.in + tap.low) * width.in,
                lower = (image * height.in + tap.high) * width.in;
        ead_load(x, (upper + column.low) * rows.channels + u.c, u.n, a);
        ead_load(x, (upper + column.high) * rows.channels + u.c, u.n, b);
        ead_load(x, (lower + column.low) * rows.channels + u.c, u.n, d);
        ead_load(x, (lower + column.high) * rows.channels + u.c, u.n, e);
#pragma unroll
        for (int k = 0; k < EAD_GROUP; k++)
            a[k] = up * (left * a[k] + right * b[k]) + down * (left * d[k] + right * e[k]);
        ead_save(y, (row * rows.width + u.w) * rows.channels + u.c, u.n, a);
    }
}

/* dx[h,w] = sum over the outputs that look at (h,w) of weight dy: a gather, so that nothing is added
 * atomically. rows: those of dx; one thread eight channels of a pixel of dx. */
static __global__ void resize_bilinear_gradient(EadRows rows, Axis height, Axis width, EadStored dy,
                                                EadStored dx) {
    EadUnit u = ead_unit(rows);
    if (u.n == 0) return;
    int first_column = first_reader(width, u.w);
    for (int64_t row = ead_first_row(); row < rows.rows; row += ead_row_step()) {
        int64_t image = row / height.in;
        int h = static_cast<int>(row - image * height.in);
        float sum[EAD_GROUP] = {0};
        for (int oh = first_reader(height, h); oh < height.out; oh++) {
            CudaResizeTap tap = tap_of(height, oh);
            if (tap.low > h) break;
            for (int ow = first_column; ow < width.out; ow++) {
                CudaResizeTap column = tap_of(width, ow);
                if (column.low > u.w) break;
                float v[EAD_GROUP], weight = weight_of(tap, h) * weight_of(column, u.w);
                ead_load(dy, ((image * height.out + oh) * width.out + ow) * rows.channels + u.c, u.n, v);
#pragma unroll
                for (int k = 0; k < EAD_GROUP; k++) sum[k] += weight * v[k];
            }
        }
        ead_save(dx, (row * rows.width + u.w) * rows.channels + u.c, u.n, sum);
    }
}

static Axis axis_of(const EadCall *call, int in, int out) {
    if (!static_cast<const EadResizeBilinear *>(call->attributes)->corners)
        return Axis{in, out, static_cast<double>(in) / out, 0.5};
    return Axis{in, out, out > 1 ? (in - 1.0) / (out - 1) : 0, 0};
}

static void run(const EadCall *call) {
    const EadTensor *x = call->x[0], *y = call->y;
    EadRows rows = ead_rows(y);
    EAD_LAUNCH(resize_bilinear, ead_rows_grid(rows), ead_rows_block(rows), 0, call->stream, rows,
               axis_of(call, x->h, y->h), axis_of(call, x->w, y->w), ead_stored(x, x->c),
               ead_stored(y, y->c));
}

static void run_gradient(const EadCall *call) {
    const EadTensor *dy = call->x[0], *dx = call->y;
    EadRows rows = ead_rows(dx);
    EAD_LAUNCH(resize_bilinear_gradient, ead_rows_grid(rows), ead_rows_block(rows), 0, call->stream, rows,
               axis_of(call, dx->h, dy->h), axis_of(call, dx->w, dy->w), ead_stored(dy, dy->c),
               ead_stored(dx, dx->c));
}

EAD_CUDA_KERNEL(resize_bilinear, .run = run, .half_in = 1, .half_out = true);
EAD_CUDA_KERNEL(resize_bilinear_gradient, .run = run_gradient, .half_in = 1, .half_out = true);
