/* Average pooling: shapes, gradient, kernels for the CPU. They are bound by memory bandwidth, so each output
 * row is made in one go while its input rows are in the cache. */
#include "core/ops/avg_pool2d/avg_pool2d.h"

#include "core/graph/op.h"
#include "core/ops/pool_windows.h"

enum { MAX_KERNEL = 65535 };

EadNode *ead_avg_pool2d(EadGraph *graph, EadNode *x, int kernel, int stride, int padding) {
    EadAvgPool2d attributes = {kernel, stride, padding, x->y.h, x->y.w};
    return ead_graph_add(graph, EAD_OP_avg_pool2d, 1, (EadNode *[]){x}, &attributes, sizeof attributes);
}

static EadStatus pooled_size(const char *name, int64_t size, const EadAvgPool2d *a, int *out) {
    int64_t padded = size + 2 * (int64_t)a->padding;
    if (padded < a->kernel)
        return ead_fail(EAD_BAD_SHAPE, "%s: window of %d is larger than the padded input of %lld", name,
                        a->kernel, (long long)padded);
    *out = (int)((padded - a->kernel) / a->stride + 1);
    return EAD_OK;
}

static EadStatus shape(const EadNode *node, EadTensor *y) {
    const EadAvgPool2d *a = (const void *)node->attributes;
    EAD_TRY(ead_shape_like_first(node, y));
    if (a->kernel < 1 || a->kernel > MAX_KERNEL || a->stride < 1 || a->padding < 0 ||
        a->padding > a->kernel / 2)
        return ead_fail(EAD_BAD_ARGUMENT, "%s: kernel %d, stride %d, padding %d; padding must be 0..kernel/2",
                        node->name, a->kernel, a->stride, a->padding);
    EAD_TRY(pooled_size(node->name, y->h, a, &y->h));
    return pooled_size(node->name, y->w, a, &y->w);
}

static EadStatus gradient_shape(const EadNode *node, EadTensor *dx) {
    const EadAvgPool2d *a = (const void *)node->attributes;
    EAD_TRY(ead_shape_like_first(node, dx));
    dx->h = a->h;
    dx->w = a->w;
    return EAD_OK;
}

static void gradient(EadGraph *graph, EadNode *node, EadNode *dy, EadNode **dx) {
    dx[0] = ead_graph_add(graph, EAD_OP_avg_pool2d_gradient, 1, (EadNode *[]){dy}, node->attributes,
                          sizeof(EadAvgPool2d));
}

const EadOp ead_op_avg_pool2d = {.name = "avg_pool2d", .shape = shape, .gradient = gradient};
const EadOp ead_op_avg_pool2d_gradient = {.name = "avg_pool2d_gradient", .shape = gradient_shape};

/* ---- on the CPU ---- */

/* The 2x2 window inside the image, which is nearly all of the work, in one pass; adds in the same order as
 * sum_window(). */
static void pool_2x2(const real *restrict x, int64_t row, int channels, real *restrict y) {
    const real *x1 = x + channels, *x2 = x + row, *x3 = x2 + channels;
    for (int c = 0; c < channels; c++) y[c] = (((x[c] + x1[c]) + x2[c]) + x3[c]) * (real)0.25;
}

/* y[c] = sum of x[h,w,c] over the rows and columns, times factor. x is one image. */
static void sum_window(const real *restrict x, int width, int channels, EadSpan rows, EadSpan columns,
                       real factor, real *restrict y) {
    for (int c = 0; c < channels; c++) y[c] = 0;
    for (int h = rows.begin; h < rows.end; h++)
        for (int w = columns.begin; w < columns.end; w++) {
            const real *pixel = x + ((int64_t)h * width + w) * channels;
            for (int c = 0; c < channels; c++) y[c] += pixel[c];
        }
    for (int c = 0; c < channels; c++) y[c] *= factor;
}

static EadPoolWindows windows_of(const EadAvgPool2d *a) {
    return (EadPoolWindows){a->kernel, a->stride, a->padding};
}

/* A thread takes whole output rows. */
static void avg_pool2d(const EadCall *call) {
    const EadTensor *x = call->x[0], *y = call->y;
    const EadAvgPool2d *a = call->attributes;
    EadPoolWindows windows = windows_of(a);
    real factor = 1 / ((real)a->kernel * (real)a->kernel);
#pragma omp parallel for schedule(static)
    for (int64_t row = 0; row < (int64_t)y->n * y->h; row++) {
        const real *image = (const real *)x->data + row / y->h * x->h * x->w * x->c;
        real *out = (real *)y->data + row * y->w * y->c;
        EadSpan rows = ead_window_inputs(windows, (int)(row % y->h), x->h);
        for (int ow = 0; ow < y->w; ow++, out += y->c) {
            EadSpan columns = ead_window_inputs(windows, ow, x->w);
            if (a->kernel == 2 && rows.end - rows.begin == 2 && columns.end - columns.begin == 2)
                pool_2x2(image + ((int64_t)rows.begin * x->w + columns.begin) * x->c, (int64_t)x->w * x->c,
                         x->c, out);
            else
                sum_window(image, x->w, x->c, rows, columns, factor, out);
        }
    }
}

/* dx[h,w] = sum of dy over the windows that hold (h,w), / kernel²: a gather, so rows are independent. */
static void avg_pool2d_gradient(const EadCall *call) {
    const EadTensor *dy = call->x[0], *dx = call->y;
    const EadAvgPool2d *a = call->attributes;
    EadPoolWindows windows = windows_of(a);
    real factor = 1 / ((real)a->kernel * (real)a->kernel);
#pragma omp parallel for schedule(static)
    for (int64_t row = 0; row < (int64_t)dx->n * dx->h; row++) {
        const real *image = (const real *)dy->data + row / dx->h * dy->h * dy->w * dy->c;
        real *out = (real *)dx->data + row * dx->w * dx->c;
        EadSpan rows = ead_windows_with(windows, (int)(row % dx->h), dy->h);
        for (int w = 0; w < dx->w; w++, out += dx->c) {
            EadSpan columns = ead_windows_with(windows, w, dy->w);
            if (rows.end - rows.begin == 1 && columns.end - columns.begin == 1) {
                const real *pixel = image + ((int64_t)rows.begin * dy->w + columns.begin) * dy->c;
                for (int c = 0; c < dx->c; c++) out[c] = pixel[c] * factor;
            } else
                sum_window(image, dy->w, dy->c, rows, columns, factor, out);
        }
    }
}

const EadKernel ead_avg_pool2d_cpu = {.run = avg_pool2d};
const EadKernel ead_avg_pool2d_gradient_cpu = {.run = avg_pool2d_gradient};
