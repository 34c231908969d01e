/* Max pooling on the CPU: bound by memory bandwidth. A thread takes whole output rows. */
#include "core/ops/max_pool2d/max_pool2d.h"

#include "core/graph/op.h"
#include "core/base/minmax.h"

#include <string.h>

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
