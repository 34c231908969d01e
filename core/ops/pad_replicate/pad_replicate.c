/* The repeated border: shapes, gradient, kernels for the CPU. */
#include "core/ops/pad_replicate/pad_replicate.h"

#include "core/base/minmax.h"
#include "core/graph/op.h"

#include <limits.h>
#include <string.h>

enum { MAX_CELLS = 65535 };

EadNode *ead_pad_replicate(EadGraph *graph, EadNode *x, int cells) {
    EadPadReplicate attributes = {cells};
    return ead_graph_add(graph, EAD_OP_pad_replicate, 1, (EadNode *[]){x}, &attributes, sizeof attributes);
}

static int cells_of(const void *attributes) {
    return ((const EadPadReplicate *)attributes)->cells;
}

static EadStatus shape(const EadNode *node, EadTensor *y) {
    int cells = cells_of(node->attributes);
    EAD_TRY(ead_shape_like_first(node, y));
    if (cells < 0 || cells > MAX_CELLS)
        return ead_fail(EAD_BAD_ARGUMENT, "%s: %d cells are outside 0..%d", node->name, cells, MAX_CELLS);
    if (y->h > INT_MAX - 2 * MAX_CELLS || y->w > INT_MAX - 2 * MAX_CELLS)
        return ead_fail(EAD_BAD_SHAPE, "%s: [%d,%d,%d,%d] is too large", node->name, y->n, y->h, y->w, y->c);
    y->h += 2 * cells;
    y->w += 2 * cells;
    return EAD_OK;
}

static EadStatus gradient_shape(const EadNode *node, EadTensor *dx) {
    EAD_TRY(ead_shape_like_first(node, dx));
    dx->h -= 2 * cells_of(node->attributes);
    dx->w -= 2 * cells_of(node->attributes);
    return EAD_OK;
}

static void gradient(EadGraph *graph, EadNode *node, EadNode *dy, EadNode **dx) {
    dx[0] = ead_graph_add(graph, EAD_OP_pad_replicate_gradient, 1, (EadNode *[]){dy}, node->attributes,
                          sizeof(EadPadReplicate));
}

const EadOp ead_op_pad_replicate = {.name = "pad_replicate", .shape = shape, .gradient = gradient};
const EadOp ead_op_pad_replicate_gradient = {.name = "pad_replicate_gradient", .shape = gradient_shape};

/* A row of x between its borders. */
static void pad_row(const real *x, int width, int channels, int cells, real *y) {
    size_t pixel = (size_t)channels * sizeof *y;
    const real *last = x + (int64_t)(width - 1) * channels;
    for (int i = 0; i < cells; i++, y += channels) memcpy(y, x, pixel);
    memcpy(y, x, (size_t)width * pixel);
    y += (int64_t)width * channels;
    for (int i = 0; i < cells; i++, y += channels) memcpy(y, last, pixel);
}

static void pad_replicate(const EadCall *call) {
    const EadTensor *x = call->x[0], *y = call->y;
    int cells = cells_of(call->attributes);
#pragma omp parallel for schedule(static)
    for (int64_t row = 0; row < (int64_t)y->n * y->h; row++) {
        int64_t from = ead_min64(row % y->h - cells, x->h - 1);
        if (from < 0) from = 0;
        pad_row((const real *)x->data + (row / y->h * x->h + from) * x->w * x->c, x->w, x->c, cells,
                (real *)y->data + row * y->w * y->c);
    }
}

/* Where a cell went in one direction: cells begin .. end - 1 of the padded map. */
typedef struct Copies {
    int begin, end;
} Copies;

static Copies copies_of(int at, int size, int cells) {
    return (Copies){at == 0 ? 0 : at + cells, at == size - 1 ? size + 2 * cells : at + cells + 1};
}

/* One cell of dx: the sum of dy over its copies, in their order. image: where that of dy begins. */
static void add_copies(const EadTensor *dy, const real *image, Copies rows, Copies columns, real *dx) {
    memset(dx, 0, (size_t)dy->c * sizeof *dx);
    for (int h = rows.begin; h < rows.end; h++)
        for (int w = columns.begin; w < columns.end; w++) {
            const real *from = image + ((int64_t)h * dy->w + w) * dy->c;
            for (int c = 0; c < dy->c; c++) dx[c] += from[c];
        }
}

static void pad_replicate_gradient(const EadCall *call) {
    const EadTensor *dy = call->x[0], *dx = call->y;
    int cells = cells_of(call->attributes);
#pragma omp parallel for schedule(static)
    for (int64_t row = 0; row < (int64_t)dx->n * dx->h; row++) {
        const real *image = (const real *)dy->data + row / dx->h * dy->h * dy->w * dy->c;
        Copies rows = copies_of((int)(row % dx->h), dx->h, cells);
        real *to = (real *)dx->data + row * dx->w * dx->c;
        for (int w = 0; w < dx->w; w++, to += dx->c)
            add_copies(dy, image, rows, copies_of(w, dx->w, cells), to);
    }
}

const EadKernel ead_pad_replicate_cpu = {.run = pad_replicate};
const EadKernel ead_pad_replicate_gradient_cpu = {.run = pad_replicate_gradient};
