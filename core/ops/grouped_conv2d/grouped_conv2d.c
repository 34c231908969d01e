/* Shape, and two kernels for the CPU. Depthwise: a pixel of y is a sum of KH KW pixels of x, each multiplied
 * by its vector of weights; bound by memory. Else products of patches and weights, for as many groups at once
 * as fill a vector of outputs: those of a group are few (8 in ResNeXt), so a part of the weights are zeros. */
#include "core/ops/grouped_conv2d/grouped_conv2d.h"

#include "core/base/minmax.h"
#include "core/graph/op.h"
#include "core/simd/simd.h"

#include <math.h>
#include <omp.h>
#include <string.h>

enum { MAX_PADDING = 1 << 20, MAX_TAPS = 256, BLOCK = 96 };

EadNode *ead_grouped_conv2d(EadGraph *graph, EadNode *x, EadNode *weight, EadNode *bias,
                            EadGroupedConv2d attributes) {
    return ead_graph_add(graph, EAD_OP_grouped_conv2d, 3, (EadNode *[]){x, weight, bias}, &attributes,
                         sizeof attributes);
}

static EadStatus output_size(const EadGroupedConv2d *a, int size, int kernel, int *out) {
    int room = size + 2 * a->padding - kernel;
    *out = a->padding < 0 ? (size + a->stride - 1) / a->stride : room / a->stride + 1;
    if (a->padding < 0 || room >= 0) return EAD_OK;
    return ead_fail(EAD_BAD_SHAPE, "grouped_conv2d: the kernel of %d is larger than the padded image of %d",
                    kernel, size + 2 * a->padding);
}

static EadStatus shape(const EadNode *node, EadTensor *y) {
    const EadGroupedConv2d *a = (const void *)node->attributes;
    const EadTensor *x = &node->x[0]->y, *w = &node->x[1]->y;
    if (a->groups < 1 || a->stride < 1 || a->padding < EAD_PADDING_SAME || a->padding > MAX_PADDING)
        return ead_fail(EAD_BAD_ARGUMENT, "grouped_conv2d: %d groups, stride %d, padding %d", a->groups,
                        a->stride, a->padding);
    if (x->type != EAD_REAL) return ead_fail(EAD_BAD_SHAPE, "grouped_conv2d: the input must be real numbers");
    if (x->c % a->groups != 0 || w->n % a->groups != 0 || w->c != x->c / a->groups)
        return ead_fail(EAD_BAD_SHAPE,
                        "grouped_conv2d: %d input and %d output channels in %d groups, and the weights of "
                        "'%s' take %d",
                        x->c, w->n, a->groups, node->x[1]->name, w->c);
    if ((int64_t)w->h * w->w > MAX_TAPS)
        return ead_fail(EAD_BAD_SHAPE, "grouped_conv2d: a kernel of %dx%d; at most %d positions", w->h, w->w,
                        MAX_TAPS);
    if (node->x[2] && ead_count(&node->x[2]->y) != w->n)
        return ead_fail(EAD_BAD_SHAPE, "grouped_conv2d: %d outputs but %d biases", w->n,
                        (int)ead_count(&node->x[2]->y));
    *y = (EadTensor){EAD_REAL, x->n, 0, 0, w->n, NULL};
    EAD_TRY(output_size(a, x->h, w->h, &y->h));
    return output_size(a, x->w, w->w, &y->w);
}

const EadOp ead_op_grouped_conv2d = {.name = "grouped_conv2d", .shape = shape};

/* ---- what both kernels know ---- */

typedef struct Grouped {
    const EadGroupedConv2d *a;
    const EadTensor *x, *y;
    const real *bias;
    int kh, kw, taps, top, left;
    real most;           /* of y: 6 or infinity */
    const EadSimd *simd; /* the rest is for products */
    int joined;          /* groups of a product */
    int in, out;         /* their channels */
    int64_t k, columns;  /* numbers of a patch; out, rounded up to whole vectors */
    int64_t share;       /* workspace of a thread */
} Grouped;

static Grouped describe(const EadCall *call) {
    const EadTensor *w = call->x[1];
    Grouped g = {.a = call->attributes, .x = call->x[0], .y = call->y, .simd = ead_simd()};
    g.bias = call->x[2] ? call->x[2]->data : NULL;
    g.kh = w->h, g.kw = w->w, g.taps = w->h * w->w;
    g.top = ead_padding_before(g.a, g.x->h, g.y->h, w->h);
    g.left = ead_padding_before(g.a, g.x->w, g.y->w, w->w);
    g.most = g.a->activation == EAD_ACTIVATION_RELU6 ? 6 : (real)INFINITY;
    int vector = g.simd->narrow, outputs = w->n / g.a->groups;
    g.joined = 1;
    while (g.joined * outputs < vector && g.a->groups % (2 * g.joined) == 0) g.joined *= 2;
    g.in = g.joined * w->c;
    g.out = g.joined * outputs;
    g.k = (int64_t)g.taps * g.in;
    g.columns = (g.out + vector - 1) / vector * vector;
    g.share = (BLOCK * (g.k + g.columns) + 15) / 16 * 16;
    return g;
}

/* Where x has the channels of tap t for the output pixel (n, oy, ox); NULL outside the image. */
static const real *tap_of(const Grouped *g, int64_t n, int oy, int ox, int t) {
    int iy = oy * g->a->stride - g->top + t / g->kw, ix = ox * g->a->stride - g->left + t % g->kw;
    if (iy < 0 || iy >= g->x->h || ix < 0 || ix >= g->x->w) return NULL;
    return (const real *)g->x->data + ((n * g->x->h + iy) * g->x->w + ix) * g->x->c;
}

/* ---- depthwise ---- */

/* [taps][C] of [C][taps]. */
static void pack_depthwise(const EadCall *call) {
    Grouped g = describe(call);
    const real *w = call->x[1]->data;
    real *packed = call->packed;
    for (int t = 0; t < g.taps; t++)
        for (int c = 0; c < g.y->c; c++) packed[(int64_t)t * g.y->c + c] = w[(int64_t)c * g.taps + t];
}

static void run_depthwise(const EadCall *call) {
    Grouped g = describe(call);
    if (!call->packed_at_plan) pack_depthwise(call);
#pragma omp parallel for schedule(static)
    for (int64_t row = 0; row < (int64_t)g.y->n * g.y->h; row++) {
        const real *pixels[MAX_TAPS], *weights[MAX_TAPS];
        real *y = (real *)g.y->data + row * g.y->w * g.y->c;
        for (int ox = 0; ox < g.y->w; ox++, y += g.y->c) {
            int count = 0;
            for (int t = 0; t < g.taps; t++) {
                pixels[count] = tap_of(&g, row / g.y->h, (int)(row % g.y->h), ox, t);
                weights[count] = (const real *)call->packed + (int64_t)t * g.y->c;
                if (pixels[count]) count++;
            }
            g.simd->weighted_sum(count, pixels, weights, g.y->c, g.bias,
                                 g.a->activation != EAD_ACTIVATION_NONE, g.most, y);
        }
    }
}

/* ---- products ---- */

/* For each product its weights [vectors][k][vector], zeros between groups. */
static void pack_products(const EadCall *call) {
    Grouped g = describe(call);
    const real *w = call->x[1]->data;
    int vector = g.simd->narrow, group_in = g.in / g.joined, group_out = g.out / g.joined;
    memset(call->packed, 0, call->packed_bytes);
    for (int o = 0; o < g.y->c; o++) {
        int column = o % g.out, group = column / group_out;
        real *to = (real *)call->packed + (int64_t)(o / g.out) * g.columns * g.k +
                   column / vector * g.k * vector + column % vector;
        for (int t = 0; t < g.taps; t++)
            for (int i = 0; i < group_in; i++)
                to[((int64_t)t * g.in + group * group_in + i) * vector] =
                    w[((int64_t)o * g.taps + t) * group_in + i];
    }
}

/* The patches of output pixels begin .. end-1 in `in` channels from `channel` on: [end-begin][k]. */
static void gather(const Grouped *g, int64_t begin, int64_t end, int channel, real *to) {
    for (int64_t p = begin; p < end; p++)
        for (int t = 0; t < g->taps; t++, to += g->in) {
            const real *from =
                tap_of(g, p / g->y->w / g->y->h, (int)(p / g->y->w % g->y->h), (int)(p % g->y->w), t);
            if (from)
                memcpy(to, from + channel, (size_t)g->in * sizeof *to);
            else
                memset(to, 0, (size_t)g->in * sizeof *to);
        }
}

/* Adds the bias and applies the activation. */
static void finish(const Grouped *g, const real *sums, int channel, real *y) {
    for (int o = 0; o < g->out; o++) {
        real v = sums[o] + (g->bias ? g->bias[channel + o] : 0);
        if (g->a->activation != EAD_ACTIVATION_NONE && v < 0) v = 0;
        y[o] = v > g->most ? g->most : v;
    }
}

static void run_block(const EadCall *call, const Grouped *g, int64_t begin, real *workspace) {
    int64_t end = ead_min64(begin + BLOCK, (int64_t)g->y->n * g->y->h * g->y->w);
    real *sums = workspace + BLOCK * g->k;
    int products = g->y->c / g->out, vector = g->simd->narrow;
    for (int j = 0; j < products; j++) {
        gather(g, begin, end, j * g->in, workspace);
        EadPanelProduct p = {
            .rows = end - begin, .k = g->k, .a = workspace, .row_stride = g->k, .k_stride = 1};
        p.b = (const real *)call->packed + j * g->columns * g->k, p.ldb = vector, p.ldc = g->columns;
        for (int64_t column = 0; column < g->columns; column += vector, p.b += vector * g->k) {
            p.c = sums + column;
            g->simd->narrow_product(&p);
        }
        for (int64_t q = begin; q < end; q++)
            finish(g, sums + (q - begin) * g->columns, j * g->out,
                   (real *)g->y->data + q * g->y->c + j * g->out);
    }
}

static void run_products(const EadCall *call) {
    Grouped g = describe(call);
    if (!call->packed_at_plan) pack_products(call);
#pragma omp parallel for schedule(static)
    for (int64_t begin = 0; begin < (int64_t)g.y->n * g.y->h * g.y->w; begin += BLOCK)
        run_block(call, &g, begin, (real *)call->workspace + g.share * omp_get_thread_num());
}

static void plan(EadCall *call) {
    Grouped g = describe(call);
    bool depthwise = g.a->groups == g.x->c && g.a->groups == g.y->c;
    double pixels = (double)g.y->n * g.y->h * g.y->w;
    int products = g.y->c / g.out;
    call->algorithm = depthwise ? "depthwise" : "products";
    call->run = depthwise ? run_depthwise : run_products;
    call->pack_weights = depthwise ? pack_depthwise : pack_products;
    int64_t packed = depthwise ? (int64_t)g.taps * g.y->c : products * g.columns * g.k;
    call->packed_bytes = (size_t)packed * sizeof(real);
    call->multiply_adds = pixels * (double)packed;
    if (!depthwise) call->workspace_bytes = (size_t)(g.share * omp_get_max_threads()) * sizeof(real);
}

const EadKernel ead_grouped_conv2d_cpu = {.plan = plan};
