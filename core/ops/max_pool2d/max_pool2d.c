/* Max pooling: shape and kernel for the CPU, where a thread takes whole output rows. */
#include "core/ops/max_pool2d/max_pool2d.h"

#include "core/base/minmax.h"
#include "core/graph/op.h"

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

const EadOp ead_op_max_pool2d = {.name = "max_pool2d", .shape = shape};

/* y[c] = max over h0 <= h < h1, w0 <= w < w1 of x[h,w,c]; windows are never empty. x is one image. */
static void max_window(const real *restrict x, int width, int channels, const int rows[2],
                       const int columns[2], real *restrict y) {
    memcpy(y, x + ((int64_t)rows[0] * width + columns[0]) * channels, (size_t)channels * sizeof *y);
    for (int h = rows[0]; h < rows[1]; h++)
        for (int w = columns[0]; w < columns[1]; w++) {
            const real *pixel = x + ((int64_t)h * width + w) * channels;
            for (int c = 0; c < channels; c++) y[c] = pixel[c] > y[c] ? pixel[c] : y[c];
        }
}

static void max_pool2d(const EadCall *call) {
    const EadTensor *x = call->x[0], *y = call->y;
    const EadMaxPool2d *a = call->attributes;
#pragma omp parallel for schedule(static)
    for (int64_t row = 0; row < (int64_t)y->n * y->h; row++) {
        const real *image = (const real *)x->data + row / y->h * x->h * x->w * x->c;
        real *out = (real *)y->data + row * y->w * y->c;
        int top = (int)(row % y->h) * a->stride - a->padding;
        const int rows[2] = {ead_max(top, 0), ead_min(top + a->kernel, x->h)};
        for (int ow = 0; ow < y->w; ow++, out += y->c) {
            int left = ow * a->stride - a->padding;
            const int columns[2] = {ead_max(left, 0), ead_min(left + a->kernel, x->w)};
            max_window(image, x->w, x->c, rows, columns, out);
        }
    }
}

const EadKernel ead_max_pool2d_cpu = {.run = max_pool2d};
