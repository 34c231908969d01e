/* Average pooling: shapes, gradient, kernels for the CPU. They are bound by memory bandwidth, so each output
 * row is made in one go while its input rows are in the cache. */
#include "core/ops/avg_pool2d/avg_pool2d.h"

#include "core/base/minmax.h"
#include "core/graph/op.h"

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

/* y[c] = sum over h0 <= h < h1, w0 <= w < w1 of x[h,w,c], times factor. x is one image. */
static void sum_window(const real *restrict x, int width, int channels, const int rows[2],
                       const int columns[2], real factor, real *restrict y) {
    for (int c = 0; c < channels; c++) y[c] = 0;
    for (int h = rows[0]; h < rows[1]; h++)
        for (int w = columns[0]; w < columns[1]; w++) {
            const real *pixel = x + ((int64_t)h * width + w) * channels;
            for (int c = 0; c < channels; c++) y[c] += pixel[c];
        }
    for (int c = 0; c < channels; c++) y[c] *= factor;
}

/* A thread takes whole output rows. */
static void avg_pool2d(const EadCall *call) {
    const EadTensor *x = call->x[0], *y = call->y;
    const EadAvgPool2d *a = call->attributes;
    real factor = 1 / ((real)a->kernel * (real)a->kernel);
#pragma omp parallel for schedule(static)
    for (int64_t row = 0; row < (int64_t)y->n * y->h; row++) {
        const real *image = (const real *)x->data + row / y->h * x->h * x->w * x->c;
        real *out = (real *)y->data + row * y->w * y->c;
        int top = (int)(row % y->h) * a->stride - a->padding;
        int rows[2] = {ead_max(top, 0), ead_min(top + a->kernel, x->h)};
        for (int ow = 0; ow < y->w; ow++, out += y->c) {
            int left = ow * a->stride - a->padding;
            int columns[2] = {ead_max(left, 0), ead_min(left + a->kernel, x->w)};
            if (a->kernel == 2 && rows[1] - rows[0] == 2 && columns[1] - columns[0] == 2)
                pool_2x2(image + ((int64_t)top * x->w + left) * x->c, (int64_t)x->w * x->c, x->c, out);
            else
                sum_window(image, x->w, x->c, rows, columns, factor, out);
        }
    }
}

/* The windows that hold input position i: first and one past the last. */
static void windows_of(int i, int outputs, const EadAvgPool2d *a, int range[2]) {
    int first = i + a->padding - a->kernel + 1;
    range[0] = first <= 0 ? 0 : (first + a->stride - 1) / a->stride;
    range[1] = ead_min((i + a->padding) / a->stride + 1, outputs);
}

/* dx[h,w] = sum of dy over the windows that hold (h,w), / kernel²: a gather, so rows are independent. */
static void avg_pool2d_gradient(const EadCall *call) {
    const EadTensor *dy = call->x[0], *dx = call->y;
    const EadAvgPool2d *a = call->attributes;
    real factor = 1 / ((real)a->kernel * (real)a->kernel);
#pragma omp parallel for schedule(static)
    for (int64_t row = 0; row < (int64_t)dx->n * dx->h; row++) {
        const real *image = (const real *)dy->data + row / dx->h * dy->h * dy->w * dy->c;
        real *out = (real *)dx->data + row * dx->w * dx->c;
        int rows[2], columns[2];
        windows_of((int)(row % dx->h), dy->h, a, rows);
        for (int w = 0; w < dx->w; w++, out += dx->c) {
            windows_of(w, dy->w, a, columns);
            if (rows[1] - rows[0] == 1 && columns[1] - columns[0] == 1) {
                const real *pixel = image + ((int64_t)rows[0] * dy->w + columns[0]) * dy->c;
                for (int c = 0; c < dx->c; c++) out[c] = pixel[c] * factor;
            } else
                sum_window(image, dy->w, dy->c, rows, columns, factor, out);
        }
    }
}

const EadKernel ead_avg_pool2d_cpu = {.run = avg_pool2d};
const EadKernel ead_avg_pool2d_gradient_cpu = {.run = avg_pool2d_gradient};
