/* Convolution and both gradients by packed products.
 *
 * Forward: a task is a block of output pixels: gather their patches, multiply them panel by panel of output
 * channels, add the bias while the block is in the cache.
 * Input gradient: phase by phase, blocks of pixels of dx, patches of dy times the phase's sub-kernel.
 * Weight gradient: pixels are dealt into a fixed number of parts, each summing dy^T patches into weights of
 * its own, which are added in order: no sum depends on the number of threads. */
#include "core/ops/conv2d/cpu/conv2d_cpu.h"

#include "core/base/minmax.h"
#include "core/ops/conv2d/conv2d.h"
#include "core/ops/conv2d/cpu/conv2d_patches.h"

#include <omp.h>
#include <string.h>

/* A block's patches stay in the second-level cache; its pixels are a multiple of the register block. */
enum { BLOCK_BYTES = 192 << 10, MAX_BLOCK = 96, MAX_PARTS = 16, PIXELS_A_PART = 256 };

/* Parts of rows of that many pixels leave few register blocks half empty. */
enum { LONG_ROW = MAX_BLOCK };

/* Pixels whose rows of k numbers fit the cache. */
static int64_t block_of(int64_t k) {
    int64_t block = BLOCK_BYTES / (k * (int64_t)sizeof(real)) / EAD_SIMD_ROWS * EAD_SIMD_ROWS;
    return block > MAX_BLOCK ? MAX_BLOCK : block < EAD_SIMD_ROWS ? EAD_SIMD_ROWS : block;
}

/* ---- forward ---- */

typedef struct Direct {
    EadConvGeometry g;
    const EadSimd *simd;
    int64_t k, columns; /* numbers of a patch; output channels rounded up to panels */
    int64_t pixels, block;
    int64_t share; /* workspace of a thread: patches, then results if the channels fill no whole panels */
} Direct;

static Direct describe(const EadCall *call) {
    Direct d = {.g = ead_conv_geometry(call), .simd = ead_simd()};
    d.k = (int64_t)d.g.kh * d.g.kw * d.g.i;
    d.columns = ead_round_up(d.g.o, d.simd->panel);
    d.pixels = (int64_t)d.g.n * d.g.oh * d.g.ow;
    d.block = block_of(d.k);
    int64_t patches = ead_conv_is_matrix(&d.g) ? 0 : d.block * d.k;
    d.share = ead_round_up(patches + (d.columns == d.g.o ? 0 : d.block * d.columns), 16);
    return d;
}

void ead_conv_pack_weights(const EadSimd *simd, const real *weights, int o, int64_t k, real *packed) {
    int width = simd->panel;
    int64_t panels = (o + width - 1) / width;
#pragma omp parallel for schedule(static)
    for (int64_t panel = 0; panel < panels; panel++)
        for (int64_t i = 0; i < k; i++)
            for (int j = 0; j < width; j++) {
                int64_t channel = panel * width + j;
                packed[(panel * k + i) * width + j] = channel < o ? weights[channel * k + i] : 0;
            }
}

static void pack_weights(const EadCall *call) {
    Direct d = describe(call);
    ead_conv_pack_weights(d.simd, call->x[1]->data, d.g.o, d.k, call->packed);
}

/* c [end-begin][columns] of the outputs before the bias. Where rows of x are long, the patches of each part of a row stay
 * where they lie if they can; else those of the whole block are gathered, but for a matrix, which is its own patches. */
static void multiply(const EadCall *call, const Direct *d, const real *x, int64_t begin, int64_t end,
                     real *space, real *c) {
    bool matrix = ead_conv_is_matrix(&d->g), by_rows = !matrix && d->g.ow >= LONG_ROW;
    for (int64_t next; begin < end; c += (next - begin) * d->columns, begin = next) {
        next = by_rows ? ead_min64(end, (begin / d->g.ow + 1) * d->g.ow) : end;
        EadPanelProduct p = {.rows = next - begin, .k = d->k, .row_stride = d->k, .k_stride = 1};
        p.b = call->packed, p.ldb = d->simd->panel, p.c = c, p.ldc = d->columns;
        p.a = matrix ? x + begin * d->k : space;
        if (by_rows)
            ead_conv_patches_of_row(&d->g, x, begin, next, space, &p);
        else if (!matrix)
            ead_gather_patches(&d->g, x, begin, next, 0, d->g.kh, space, d->k);
        ead_panel_products(d->simd, d->columns, d->simd->panel * d->k, p);
    }
}

static void run_block(const EadCall *call, const Direct *d, int64_t begin, real *workspace) {
    int64_t end = ead_min64(begin + d->block, d->pixels), o = d->g.o;
    bool matrix = ead_conv_is_matrix(&d->g), whole = d->columns == o;
    const real *x = call->x[0]->data;
    real *y = (real *)call->y->data + begin * o,
         *result = whole ? y : workspace + (matrix ? 0 : d->block * d->k);
    multiply(call, d, x, begin, end, workspace, result);
    for (int64_t p = 0; !whole && p < end - begin; p++)
        memcpy(y + p * o, result + p * d->columns, (size_t)o * sizeof(real));
    d->simd->add_bias(y, end - begin, o, o, call->x[2] ? call->x[2]->data : NULL,
                      ((const EadConv2d *)call->attributes)->relu);
}

static void run(const EadCall *call) {
    Direct d = describe(call);
    if (!call->packed_at_plan) pack_weights(call);
    if (d.pixels <= d.block) { /* no need to wake the other threads */
        run_block(call, &d, 0, call->workspace);
        return;
    }
#pragma omp parallel for schedule(dynamic)
    for (int64_t begin = 0; begin < d.pixels; begin += d.block)
        run_block(call, &d, begin, (real *)call->workspace + d.share * omp_get_thread_num());
}

void ead_conv2d_direct_plan(EadCall *call) {
    Direct d = describe(call);
    call->algorithm = "direct";
    call->multiply_adds = (double)(d.pixels * d.k) * (double)d.columns;
    call->run = run;
    call->pack_weights = pack_weights;
    call->packed_bytes = (size_t)(d.columns * d.k) * sizeof(real);
    call->workspace_bytes = (size_t)(d.share * omp_get_max_threads()) * sizeof(real);
}

/* ---- input gradient ---- */

static void run_phase(const EadCall *call, const EadConvGeometry *g, const EadConvPhase *p) {
    const EadSimd *simd = ead_simd();
    int64_t k = ead_phase_patch(g, p), pixels = ead_phase_pixels(g, p), block = block_of(k);
    int64_t columns = ead_round_up(g->i, simd->panel), share = ead_round_up(block * (k + columns), 16);
    real *weights = call->workspace, *scratch = weights + ead_round_up(k * columns, 16), *dx = call->y->data;
    const real *dy = call->x[0]->data;
    if (columns != g->i) memset(weights, 0, (size_t)(k * columns) * sizeof(real));
    ead_gather_phase_weights(g, p, call->x[1]->data, weights, columns);
#pragma omp parallel for schedule(dynamic)
    for (int64_t begin = 0; begin < pixels; begin += block) {
        int64_t end = ead_min64(begin + block, pixels);
        real *patches = scratch + share * omp_get_thread_num(), *result = patches + block * k;
        ead_gather_phase_patches(g, p, dy, begin, end, patches);
        EadPanelProduct product = {.rows = end - begin, .k = k, .a = patches, .row_stride = k, .k_stride = 1};
        product.b = weights, product.ldb = columns, product.c = result, product.ldc = columns;
        ead_panel_products(simd, columns, simd->panel, product);
        for (int64_t q = begin; q < end; q++)
            memcpy(ead_phase_target(g, p, q, dx), result + (q - begin) * columns,
                   (size_t)g->i * sizeof(real));
    }
}

static void input_gradient(const EadCall *call) {
    const EadConvGeometry g = ead_conv_input_gradient_geometry(call);
    ead_for_each_phase(call, &g, run_phase);
}

void ead_conv2d_input_gradient_direct_plan(EadCall *call) {
    const EadConvGeometry g = ead_conv_input_gradient_geometry(call);
    int64_t largest = 0, columns = ead_round_up(g.i, ead_simd()->panel);
    for (int phase = 0; phase < g.stride * g.stride; phase++) {
        EadConvPhase p = ead_phase(&g, phase / g.stride, phase % g.stride);
        int64_t k = ead_phase_patch(&g, &p);
        if (k == 0) continue;
        int64_t need = ead_round_up(k * columns, 16) +
                       ead_round_up(block_of(k) * (k + columns), 16) * omp_get_max_threads();
        if (need > largest) largest = need;
        call->multiply_adds += (double)(ead_phase_pixels(&g, &p) * k) * (double)columns;
    }
    call->algorithm = "direct";
    call->run = input_gradient;
    call->workspace_bytes = (size_t)largest * sizeof(real);
}

/* ---- weight gradient ---- */

typedef struct WeightSums {
    EadConvGeometry g;
    const EadSimd *simd;
    int64_t k, columns; /* numbers of a patch, and rounded up to panels */
    int64_t pixels, block, share;
    int parts;
} WeightSums;

static WeightSums describe_weights(const EadCall *call) {
    WeightSums w = {.g = ead_conv_weight_gradient_geometry(call), .simd = ead_simd()};
    w.k = (int64_t)w.g.kh * w.g.kw * w.g.i;
    w.columns = ead_round_up(w.k, w.simd->panel);
    w.pixels = (int64_t)w.g.n * w.g.oh * w.g.ow;
    w.block = block_of(w.columns);
    w.parts = ead_min((w.pixels + PIXELS_A_PART - 1) / PIXELS_A_PART, MAX_PARTS);
    w.share = ead_round_up(w.block * w.columns, 16);
    return w;
}

static void weight_gradient(const EadCall *call) {
    WeightSums w = describe_weights(call);
    const real *dy = call->x[0]->data, *x = call->x[1]->data;
    real *workspace = call->workspace, *dw = call->y->data;
    real *sums = workspace + w.share * omp_get_max_threads(); /* [part][O][columns] */
#pragma omp parallel for schedule(dynamic)
    for (int part = 0; part < w.parts; part++) {
        int64_t begin = w.pixels * part / w.parts, limit = w.pixels * (part + 1) / w.parts;
        real *patches = workspace + w.share * omp_get_thread_num(); /* the columns beyond k count, too */
        memset(patches, 0, (size_t)(w.block * w.columns) * sizeof(real));
        for (int64_t first = begin; first < limit; first += w.block) {
            int64_t end = ead_min64(first + w.block, limit);
            ead_gather_patches(&w.g, x, first, end, 0, w.g.kh, patches, w.columns);
            EadPanelProduct p = {.rows = w.g.o, .k = end - first, .row_stride = 1, .k_stride = w.g.o};
            p.a = dy + first * w.g.o, p.b = patches, p.c = sums + part * w.g.o * w.columns;
            p.ldb = p.ldc = w.columns, p.accumulate = first > begin;
            ead_panel_products(w.simd, w.columns, w.simd->panel, p);
        }
    }
#pragma omp parallel for schedule(static)
    for (int o = 0; o < w.g.o; o++)
        for (int64_t k = 0; k < w.k; k++) {
            real sum = 0;
            for (int part = 0; part < w.parts; part++) sum += sums[(part * w.g.o + o) * w.columns + k];
            dw[o * w.k + k] = sum;
        }
}

void ead_conv2d_weight_gradient_direct_plan(EadCall *call) {
    WeightSums w = describe_weights(call);
    int64_t reals = w.share * omp_get_max_threads() + w.parts * w.g.o * w.columns;
    call->algorithm = "direct";
    call->multiply_adds = (double)(w.pixels * w.g.o) * (double)w.columns;
    call->run = weight_gradient;
    call->workspace_bytes = (size_t)reals * sizeof(real);
}
