/* The bilinear resize: shapes, gradient, kernels for the CPU. Where each output row and column looks is
 * tabulated at the start of each run, which costs nothing beside the pixels. */
#include "core/ops/resize_bilinear/resize_bilinear.h"

#include "core/graph/op.h"

#include <stddef.h>

EadNode *ead_resize_bilinear(EadGraph *graph, EadNode *x, int out_h, int out_w) {
    EadResizeBilinear attributes = {out_h, out_w, false};
    return ead_graph_add(graph, EAD_OP_resize_bilinear, 1, (EadNode *[]){x}, &attributes, sizeof attributes);
}

EadNode *ead_resize_corners(EadGraph *graph, EadNode *x, int out_h, int out_w) {
    EadResizeBilinear attributes = {out_h, out_w, true};
    return ead_graph_add(graph, EAD_OP_resize_bilinear, 1, (EadNode *[]){x}, &attributes, sizeof attributes);
}

static EadStatus shape(const EadNode *node, EadTensor *y) {
    const EadResizeBilinear *a = (const void *)node->attributes;
    EAD_TRY(ead_shape_like_first(node, y));
    y->h = a->h;
    y->w = a->w;
    return EAD_OK;
}

static void gradient(EadGraph *graph, EadNode *node, EadNode *dy, EadNode **dx) {
    bool corners = ((const EadResizeBilinear *)(const void *)node->attributes)->corners;
    EadResizeBilinear attributes = {node->x[0]->y.h, node->x[0]->y.w, corners};
    dx[0] = ead_graph_add(graph, EAD_OP_resize_bilinear_gradient, 1, (EadNode *[]){dy}, &attributes,
                          sizeof attributes);
}

const EadOp ead_op_resize_bilinear = {.name = "resize_bilinear", .shape = shape, .gradient = gradient};
const EadOp ead_op_resize_bilinear_gradient = {.name = "resize_bilinear_gradient", .shape = shape};

/* ---- on the CPU ---- */

/* An output position: it mixes inputs low and high (equal at the border). */
typedef struct ResizeTap {
    int low, high;
    real high_weight; /* low's is 1 - high_weight */
} ResizeTap;

/* The outputs that look at one input position: those between begin and end (not included). */
typedef struct Readers {
    int begin, end;
} Readers;

static void fill_taps(ResizeTap *taps, int in, int out, bool corners) {
    double step = corners ? out > 1 ? (in - 1.0) / (out - 1) : 0 : (double)in / out, half = corners ? 0 : 0.5;
    for (int i = 0; i < out; i++) {
        double position = step * (i + half) - half;
        if (position < 0) position = 0;
        int low = (int)position < in - 1 ? (int)position : in - 1;
        taps[i] = (ResizeTap){low, low < in - 1 ? low + 1 : low, (real)(position - low)};
    }
}

/* taps[].low never falls, so the readers of an input are neighbours. */
static void fill_readers(Readers *readers, const ResizeTap *taps, int in, int out) {
    int begin = 0, end = 0;
    for (int i = 0; i < in; i++) {
        while (begin < out && taps[begin].high < i) begin++;
        while (end < out && taps[end].low <= i) end++;
        readers[i] = (Readers){begin, end};
    }
}

static real weight_of(const ResizeTap *tap, int i) {
    return (tap->low == i ? 1 - tap->high_weight : 0) + (tap->high == i ? tap->high_weight : 0);
}

/* y = rows mixed of pixels mixed; x[0..1] the upper row's left and right pixel, x[2..3] the lower row's. */
static void mix(const real *const x[4], const ResizeTap *row, const ResizeTap *column, int channels,
                real *restrict y) {
    real down = row->high_weight, up = 1 - down, right = column->high_weight, left = 1 - right;
    const real *a = x[0], *b = x[1], *d = x[2], *e = x[3];
    for (int c = 0; c < channels; c++)
        y[c] = up * (left * a[c] + right * b[c]) + down * (left * d[c] + right * e[c]);
}

static void plan(EadCall *call) {
    call->workspace_bytes = ((size_t)call->y->h + (size_t)call->y->w) * sizeof(ResizeTap);
}

static void resize_bilinear(const EadCall *call) {
    const EadTensor *x = call->x[0], *y = call->y;
    bool corners = ((const EadResizeBilinear *)call->attributes)->corners;
    ResizeTap *rows = call->workspace, *columns = rows + y->h;
    fill_taps(rows, x->h, y->h, corners);
    fill_taps(columns, x->w, y->w, corners);
#pragma omp parallel for schedule(static)
    for (int64_t row = 0; row < (int64_t)y->n * y->h; row++) {
        const ResizeTap *tap = &rows[row % y->h];
        const real *image = (const real *)x->data + row / y->h * x->h * x->w * x->c;
        const real *upper = image + (int64_t)tap->low * x->w * x->c,
                   *lower = image + (int64_t)tap->high * x->w * x->c;
        real *out = (real *)y->data + row * y->w * y->c;
        for (int w = 0; w < y->w; w++, out += y->c) {
            int64_t left = (int64_t)columns[w].low * x->c, right = (int64_t)columns[w].high * x->c;
            mix((const real *[]){upper + left, upper + right, lower + left, lower + right}, tap, &columns[w],
                y->c, out);
        }
    }
}

/* The gradient's tables. */
typedef struct Tables {
    ResizeTap *rows, *columns;             /* [OH], [OW] */
    Readers *row_readers, *column_readers; /* [H], [W] */
} Tables;

static void plan_gradient(EadCall *call) {
    const EadTensor *dy = call->x[0], *dx = call->y;
    call->workspace_bytes = ((size_t)dy->h + (size_t)dy->w) * sizeof(ResizeTap) +
                            ((size_t)dx->h + (size_t)dx->w) * sizeof(Readers);
}

/* dx[h,w] = sum over the outputs that look at (h,w) of weight * dy: a gather, so rows are independent. */
static void gather_pixel(const real *dy, int dy_width, int channels, const Tables *t, int h, int w,
                         real *restrict dx) {
    for (int c = 0; c < channels; c++) dx[c] = 0;
    for (int oh = t->row_readers[h].begin; oh < t->row_readers[h].end; oh++) {
        real row_weight = weight_of(&t->rows[oh], h);
        for (int ow = t->column_readers[w].begin; ow < t->column_readers[w].end; ow++) {
            real weight = row_weight * weight_of(&t->columns[ow], w);
            const real *pixel = dy + ((int64_t)oh * dy_width + ow) * channels;
            for (int c = 0; c < channels; c++) dx[c] += weight * pixel[c];
        }
    }
}

static void resize_bilinear_gradient(const EadCall *call) {
    const EadTensor *dy = call->x[0], *dx = call->y;
    Tables t = {.rows = call->workspace};
    t.columns = t.rows + dy->h;
    t.row_readers = (Readers *)(void *)(t.columns + dy->w);
    t.column_readers = t.row_readers + dx->h;
    bool corners = ((const EadResizeBilinear *)call->attributes)->corners;
    fill_taps(t.rows, dx->h, dy->h, corners);
    fill_taps(t.columns, dx->w, dy->w, corners);
    fill_readers(t.row_readers, t.rows, dx->h, dy->h);
    fill_readers(t.column_readers, t.columns, dx->w, dy->w);
#pragma omp parallel for schedule(static)
    for (int64_t row = 0; row < (int64_t)dx->n * dx->h; row++) {
        const real *image = (const real *)dy->data + row / dx->h * dy->h * dy->w * dy->c;
        real *out = (real *)dx->data + row * dx->w * dx->c;
        for (int w = 0; w < dx->w; w++)
            gather_pixel(image, dy->w, dy->c, &t, (int)(row % dx->h), w, out + (int64_t)w * dx->c);
    }
}

const EadKernel ead_resize_bilinear_cpu = {.run = resize_bilinear, .plan = plan};
const EadKernel ead_resize_bilinear_gradient_cpu = {.run = resize_bilinear_gradient, .plan = plan_gradient};
