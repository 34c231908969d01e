/* The zero border: shapes, gradient, kernels for the CPU, which copy rows. */
#include "core/ops/pad_border/pad_border.h"

#include "core/graph/op.h"

#include <limits.h>
#include <string.h>

enum { MAX_CELLS = 65535 };

EadNode *ead_pad_border(EadGraph *graph, EadNode *x, int cells) {
    EadPadBorder attributes = {cells};
    return ead_graph_add(graph, EAD_OP_pad_border, 1, (EadNode *[]){x}, &attributes, sizeof attributes);
}

static EadStatus shape(const EadNode *node, EadTensor *y) {
    const EadPadBorder *a = (const void *)node->attributes;
    EAD_TRY(ead_shape_like_first(node, y));
    if (a->cells < 0 || a->cells > MAX_CELLS)
        return ead_fail(EAD_BAD_ARGUMENT, "%s: %d cells are outside 0..%d", node->name, a->cells, MAX_CELLS);
    if (y->h > INT_MAX - 2 * MAX_CELLS || y->w > INT_MAX - 2 * MAX_CELLS)
        return ead_fail(EAD_BAD_SHAPE, "%s: [%d,%d,%d,%d] is too large", node->name, y->n, y->h, y->w, y->c);
    y->h += 2 * a->cells;
    y->w += 2 * a->cells;
    return EAD_OK;
}

static EadStatus gradient_shape(const EadNode *node, EadTensor *dx) {
    const EadPadBorder *a = (const void *)node->attributes;
    EAD_TRY(ead_shape_like_first(node, dx));
    dx->h -= 2 * a->cells;
    dx->w -= 2 * a->cells;
    return EAD_OK;
}

/* The gradient of a border of constants: cut it off again. */
static void gradient(EadGraph *graph, EadNode *node, EadNode *dy, EadNode **dx) {
    dx[0] = ead_graph_add(graph, EAD_OP_pad_border_gradient, 1, (EadNode *[]){dy}, node->attributes,
                          sizeof(EadPadBorder));
}

const EadOp ead_op_pad_border = {.name = "pad_border", .shape = shape, .gradient = gradient};
const EadOp ead_op_pad_border_gradient = {.name = "pad_border_gradient", .shape = gradient_shape};

static void pad_border(const EadCall *call) {
    const EadTensor *x = call->x[0], *y = call->y;
    int cells = ((const EadPadBorder *)call->attributes)->cells;
    size_t border = (size_t)cells * (size_t)x->c, inside = (size_t)x->w * (size_t)x->c;
#pragma omp parallel for schedule(static)
    for (int64_t row = 0; row < (int64_t)y->n * y->h; row++) {
        int64_t n = row / y->h, h = row % y->h - cells;
        real *out = (real *)y->data + row * y->w * y->c;
        memset(out, 0, (2 * border + inside) * sizeof *out);
        if (h >= 0 && h < x->h)
            memcpy(out + border, (const real *)x->data + (n * x->h + h) * x->w * x->c, inside * sizeof *out);
    }
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
