/* Zero border on the CPU: row copies. */
#include "core/ops/pad_border/pad_border.h"

#include "core/graph/op.h"

#include <string.h>

static void pad_row(const EadTensor *x, const EadTensor *y, int cells, int64_t row) {
    int64_t n = row / y->h, h = row % y->h - cells;
    real *out = (real *)y->data + row * y->w * y->c;
    size_t border = (size_t)cells * (size_t)x->c, inside = (size_t)x->w * (size_t)x->c;
    if (h < 0 || h >= x->h) {
        memset(out, 0, (2 * border + inside) * sizeof *out);
        return;
    }
    memset(out, 0, border * sizeof *out);
    memcpy(out + border, (const real *)x->data + (n * x->h + h) * x->w * x->c, inside * sizeof *out);
    memset(out + border + inside, 0, border * sizeof *out);
}

static void pad_border(const EadCall *call) {
    const EadPadBorder *a = call->attributes;
    const EadTensor *y = call->y;
#pragma omp parallel for schedule(static)
    for (int64_t row = 0; row < (int64_t)y->n * y->h; row++) pad_row(call->x[0], y, a->cells, row);
}

static void pad_border_gradient(const EadCall *call) {
    const EadPadBorder *a = call->attributes;
    const EadTensor *dy = call->x[0], *dx = call->y;
    const real *from = dy->data;
    real *to = dx->data;
    int64_t row_size = (int64_t)dx->w * dx->c;
#pragma omp parallel for schedule(static)
    for (int64_t row = 0; row < (int64_t)dx->n * dx->h; row++) {
        int64_t padded_row = row / dx->h * dy->h + row % dx->h + a->cells;
        memcpy(to + row * row_size, from + (padded_row * dy->w + a->cells) * dy->c,
               (size_t)row_size * sizeof *to);
    }
}

const EadKernel ead_pad_border_cpu = {.run = pad_border};
const EadKernel ead_pad_border_gradient_cpu = {.run = pad_border_gradient};
