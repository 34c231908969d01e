/* The fused layer by packed products, for the three channels of an image and whatever else Winograd does not
 * suit. A task is a stretch of one pooled row. Panel by panel of output channels the two rows of convolution outputs
 * under it are computed into a buffer that stays in the first-level cache, then averaged. */
#include "core/ops/conv2d_pool/conv2d_pool.h"

#include "core/ops/conv2d/cpu/conv2d_cpu.h"
#include "core/ops/conv2d/cpu/conv2d_patches.h"
#include "core/base/minmax.h"

#include <omp.h>
#include <string.h>

enum { STRETCH = 24 }; /* pooled pixels of a task: 2 x 48 outputs, a multiple of the register block */

typedef struct Fused {
    EadConvGeometry g; /* of the convolution */
    const EadSimd *simd;
    const EadConv2dPool *attributes;
    int height, width;  /* pooled */
    int64_t k, columns; /* numbers of a patch; output channels rounded up to panels */
    int64_t share;      /* workspace of a thread: patches and outputs of two rows */
} Fused;

/* One row of convolution outputs under a stretch. */
typedef struct ConvRow {
    EadPanelProduct product; /* all but b */
    int before, count;       /* pixels of zeros, where the pooling is padded; outputs behind them */
    real *out;               /* [2 STRETCH][panel] */
} ConvRow;

static Fused describe(const EadCall *call) {
    Fused f = {.g = ead_conv2d_pool_geometry(call), .simd = ead_simd(), .attributes = call->attributes};
    f.height = call->y->h;
    f.width = call->y->w;
    f.k = (int64_t)f.g.kh * f.g.kw * f.g.i;
    f.columns = ead_round_up(f.g.o, f.simd->panel);
    f.share = 2 * 2 * STRETCH * (ead_round_up(f.k, 16) + f.simd->panel);
    return f;
}

static void pack_weights(const EadCall *call) {
    Fused f = describe(call);
    ead_conv_pack_weights(f.simd, call->x[1]->data, f.g.o, f.k, call->packed);
}

/* Outputs of row `row` of an image from column `first` on. */
static ConvRow open_row(const EadCall *call, const Fused *f, int image, int row, int first, real *space) {
    const EadConvGeometry *g = &f->g;
    ConvRow r = {.out = space + 2 * STRETCH * ead_round_up(f->k, 16)};
    int begin = ead_max(first, 0), end = ead_min(first + 2 * STRETCH, g->ow);
    if (row < 0 || row >= g->oh || begin >= end) return r;
    int64_t pixel = ((int64_t)image * g->oh + row) * g->ow + begin;
    r.before = begin - first;
    r.count = end - begin;
    r.product = (EadPanelProduct){.ldb = f->simd->panel, .ldc = f->simd->panel};
    r.product.c = r.out + r.before * f->simd->panel;
    ead_conv_patches_of_row(g, call->x[0]->data, pixel, pixel + r.count, space, &r.product);
    return r;
}

/* bias: NULL where that is added later. Zeros stand where there is no output. */
static void compute_row(const Fused *f, ConvRow *r, const real *weights, int channels, const real *bias,
                        bool finish) {
    if (r->count < 2 * STRETCH) memset(r->out, 0, (size_t)(2 * STRETCH * f->simd->panel) * sizeof(real));
    if (r->count == 0) return;
    r->product.b = weights;
    f->simd->product(&r->product);
    if (finish)
        f->simd->add_bias(r->product.c, r->count, channels, f->simd->panel, bias, f->attributes->conv.relu);
}

/* The pooled pixels of a stretch, which begins at column `first`. Where zeros of the padding are averaged, too, they must
 * not get a bias. */
static void run_stretch(const EadCall *call, const Fused *f, int64_t line, int first, real *workspace) {
    int padding = f->attributes->padding, image = (int)(line / f->height), y = (int)(line % f->height);
    const real *bias = call->x[2] ? call->x[2]->data : NULL;
    ConvRow rows[2];
    for (int i = 0; i < 2; i++)
        rows[i] =
            open_row(call, f, image, 2 * y - padding + i, 2 * first - padding, workspace + i * f->share / 2);
    EadPooledRows pooled = {.x = {rows[0].out, rows[1].out}, .x_stride = f->simd->panel, .y_stride = f->g.o};
    pooled.pixels = ead_min(STRETCH, f->width - first);
    pooled.y = (real *)call->y->data + (line * f->width + first) * f->g.o;
    bool zeros = false;
    for (int i = 0; i < 2; i++) zeros |= rows[i].before > 0 || rows[i].count < 2 * pooled.pixels;
    pooled.relu = !zeros && f->attributes->conv.relu;
    for (int o = 0; o < f->g.o; o += f->simd->panel, pooled.y += f->simd->panel) {
        const real *own = bias ? bias + o : NULL;
        pooled.channels = ead_min(f->simd->panel, f->g.o - o);
        pooled.bias = zeros ? NULL : own;
        for (int i = 0; i < 2; i++)
            compute_row(f, &rows[i], (const real *)call->packed + o * f->k, (int)pooled.channels, own, zeros);
        f->simd->pool_rows(&pooled);
    }
}

static void run(const EadCall *call) {
    Fused f = describe(call);
    int stretches = (f.width + STRETCH - 1) / STRETCH;
    if (!call->packed_at_plan) pack_weights(call);
#pragma omp parallel for schedule(dynamic)
    for (int64_t task = 0; task < (int64_t)f.g.n * f.height * stretches; task++)
        run_stretch(call, &f, task / stretches, (int)(task % stretches) * STRETCH,
                    (real *)call->workspace + f.share * omp_get_thread_num());
}

void ead_conv2d_pool_direct_plan(EadCall *call) {
    Fused f = describe(call);
    call->algorithm = "direct";
    call->multiply_adds = (double)ead_conv_multiply_adds(&f.g);
    call->run = run;
    call->pack_weights = pack_weights;
    call->packed_bytes = (size_t)(f.columns * f.k) * sizeof(real);
    call->workspace_bytes = (size_t)(f.share * omp_get_max_threads()) * sizeof(real);
}
