/* Max pooling: shapes, gradient, kernels for the CPU, where a thread takes whole rows of what it writes. */
#include "core/ops/max_pool2d/max_pool2d.h"

#include "core/base/minmax.h"
#include "core/graph/op.h"
#include "core/ops/pool_windows.h"

#include <string.h>

enum { MAX_KERNEL = 65535 };

EadNode *ead_max_pool2d(EadGraph *graph, EadNode *x, EadMaxPool2d attributes) {
    return ead_graph_add(graph, EAD_OP_max_pool2d, 1, (EadNode *[]){x}, &attributes, sizeof attributes);
}

static EadStatus pooled_size(int size, const EadMaxPool2d *a, int *out) {
    int64_t room = size + 2 * (int64_t)a->padding - a->kernel;
    if (room < 0 && !(a->ceil_mode && room + a->stride > 0)) /* else one window, which is cut off */
        return ead_fail(EAD_BAD_SHAPE, "max_pool2d: window of %d is larger than the padded input of %lld",
                        a->kernel, (long long)room + a->kernel);
    int64_t windows = (room + (a->ceil_mode ? a->stride - 1 : 0)) / a->stride + 1;
    if ((windows - 1) * a->stride >= size + a->padding) windows--;
    *out = (int)windows;
    return EAD_OK;
}

static EadStatus shape(const EadNode *node, EadTensor *y) {
    const EadMaxPool2d *a = (const void *)node->attributes;
    EAD_TRY(ead_shape_like_first(node, y));
    if (a->kernel < 1 || a->kernel > MAX_KERNEL || a->stride < 1 || a->padding < 0 ||
        a->padding > a->kernel / 2)
        return ead_fail(EAD_BAD_ARGUMENT,
                        "max_pool2d: kernel %d, stride %d, padding %d; padding must be 0..kernel/2",
                        a->kernel, a->stride, a->padding);
    EAD_TRY(pooled_size(y->h, a, &y->h));
    return pooled_size(y->w, a, &y->w);
}

static void gradient(EadGraph *graph, EadNode *node, EadNode *dy, EadNode **dx) {
    dx[0] = ead_graph_add(graph, EAD_OP_max_pool2d_gradient, 2, (EadNode *[]){dy, node->x[0]},
                          node->attributes, sizeof(EadMaxPool2d));
}

/* Inputs: dy, x. */
static EadStatus gradient_shape(const EadNode *node, EadTensor *dx) {
    EAD_TRY(ead_shape_like_first(node, dx));
    dx->h = node->x[1]->y.h;
    dx->w = node->x[1]->y.w;
    return EAD_OK;
}

const EadOp ead_op_max_pool2d = {.name = "max_pool2d", .shape = shape, .gradient = gradient};
const EadOp ead_op_max_pool2d_gradient = {.name = "max_pool2d_gradient", .shape = gradient_shape};

/* ---- on the CPU ---- */

static EadPoolWindows windows_of(const EadCall *call) {
    const EadMaxPool2d *a = call->attributes;
    return (EadPoolWindows){a->kernel, a->stride, a->padding};
}

/* y[c] = max of x[h,w,c] over the rows and columns, which are never none. x is one image. */
static void max_window(const real *restrict x, int width, int channels, EadSpan rows, EadSpan columns,
                       real *restrict y) {
    memcpy(y, x + ((int64_t)rows.begin * width + columns.begin) * channels, (size_t)channels * sizeof *y);
    for (int h = rows.begin; h < rows.end; h++)
        for (int w = columns.begin; w < columns.end; w++) {
            const real *pixel = x + ((int64_t)h * width + w) * channels;
            for (int c = 0; c < channels; c++) y[c] = pixel[c] > y[c] ? pixel[c] : y[c];
        }
}

static void max_pool2d(const EadCall *call) {
    const EadTensor *x = call->x[0], *y = call->y;
    EadPoolWindows windows = windows_of(call);
#pragma omp parallel for schedule(static)
    for (int64_t row = 0; row < (int64_t)y->n * y->h; row++) {
        const real *image = (const real *)x->data + row / y->h * x->h * x->w * x->c;
        real *out = (real *)y->data + row * y->w * y->c;
        EadSpan rows = ead_window_inputs(windows, (int)(row % y->h), x->h);
        for (int ow = 0; ow < y->w; ow++, out += y->c)
            max_window(image, x->w, x->c, rows, ead_window_inputs(windows, ow, x->w), out);
    }
}

enum { LANES = 64 }; /* channels at a time */

/* at[c]: the position in the window, row by row, of the first of its largest values. x begins with channel 0 .. */
static void find_largest(const real *restrict x, int width, int channels, EadSpan rows, EadSpan columns,
                         int lanes, int *restrict at) {
    real best[LANES];
    int position = 0;
    for (int h = rows.begin; h < rows.end; h++)
        for (int w = columns.begin; w < columns.end; w++, position++) {
            const real *pixel = x + ((int64_t)h * width + w) * channels;
            for (int c = 0; c < lanes; c++) {
                bool larger = position == 0 || pixel[c] > best[c];
                best[c] = larger ? pixel[c] : best[c];
                at[c] = larger ? position : at[c];
            }
        }
}

/* Adds dy [C] of one window to the row of dx that is row h of x, where that row has the window's largest values. */
static void add_window(const real *x, int width, int channels, EadSpan rows, EadSpan columns, int h,
                       const real *restrict dy, real *restrict dx) {
    int first = (h - rows.begin) * (columns.end - columns.begin), at[LANES];
    for (int start = 0; start < channels; start += LANES) {
        int lanes = ead_min(channels - start, LANES);
        find_largest(x + start, width, channels, rows, columns, lanes, at);
        for (int w = columns.begin; w < columns.end; w++) {
            real *to = dx + (int64_t)w * channels + start;
            int position = first + w - columns.begin;
            for (int c = 0; c < lanes; c++) to[c] += at[c] == position ? dy[start + c] : 0;
        }
    }
}

static void max_pool2d_gradient(const EadCall *call) {
    const EadTensor *dy = call->x[0], *x = call->x[1];
    EadPoolWindows windows = windows_of(call);
    int64_t row_size = (int64_t)x->w * x->c;
#pragma omp parallel for schedule(static)
    for (int64_t row = 0; row < (int64_t)x->n * x->h; row++) {
        int64_t n = row / x->h;
        const real *image = (const real *)x->data + n * x->h * row_size;
        real *out = (real *)call->y->data + row * row_size;
        EadSpan with = ead_windows_with(windows, (int)(row % x->h), dy->h);
        memset(out, 0, (size_t)row_size * sizeof *out);
        for (int oh = with.begin; oh < with.end; oh++)
            for (int ow = 0; ow < dy->w; ow++)
                add_window(image, x->w, x->c, ead_window_inputs(windows, oh, x->h),
                           ead_window_inputs(windows, ow, x->w), (int)(row % x->h),
                           (const real *)dy->data + ((n * dy->h + oh) * dy->w + ow) * dy->c, out);
    }
}

const EadKernel ead_max_pool2d_cpu = {.run = max_pool2d};
const EadKernel ead_max_pool2d_gradient_cpu = {.run = max_pool2d_gradient};
