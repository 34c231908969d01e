/* Convolution by im2col and OpenBLAS, a block of output pixels at a time. Blocks are independent of the
 * number of threads, so the result is too. */
#include "core/ops/conv2d/conv2d_gemm.h"

#include "core/blas.h"
#include "core/ops/conv2d/conv2d.h"
#include "core/ops/conv2d/conv2d_geometry.h"

#include <omp.h>
#include <string.h>

typedef EadConvGeometry Geometry;

/* A block's patches should stay in the cache until they are multiplied, and yet be many, because OpenBLAS
 * packs the weights anew for each block. */
enum { BLOCK_BYTES = 6 << 20, MAX_BLOCK_PIXELS = 1024, MIN_BLOCK_PIXELS = 64, VECTOR = 16 };

static int64_t round_up(int64_t value) {
    return (value + VECTOR - 1) / VECTOR * VECTOR;
}

static int64_t smaller(int64_t a, int64_t b) {
    return a < b ? a : b;
}

/* Pixels a block for rows of `columns` numbers: even shares, so that threads finish together. */
static int64_t block_pixels(int64_t pixels, int64_t columns) {
    int64_t most = BLOCK_BYTES / (columns * (int64_t)sizeof(real));
    if (most > MAX_BLOCK_PIXELS) most = MAX_BLOCK_PIXELS;
    if (most < MIN_BLOCK_PIXELS) most = MIN_BLOCK_PIXELS;
    int64_t blocks = (pixels + most - 1) / most;
    blocks += blocks % 2; /* an even number suits two, four, eight threads */
    return (pixels + blocks - 1) / blocks;
}

/* ---- forward ---- */

static int64_t patch_size(const Geometry *g) {
    return (int64_t)g->kh * g->kw * g->i;
}

static bool is_matrix_already(const Geometry *g) {
    return g->kh == 1 && g->kw == 1 && g->stride == 1 && g->padding == 0;
}

/* One kernel row of one patch: KW*I numbers of x from column ix0 on, zeros outside. */
static void copy_patch_row(const Geometry *g, const real *x_row, int ix0, real *to) {
    int first = ix0 < 0 ? -ix0 : 0, last = ix0 + g->kw > g->w ? g->w - ix0 : g->kw;
    if (last < first) last = first;
    size_t pixel = (size_t)g->i * sizeof(real);
    memset(to, 0, (size_t)first * pixel);
    memcpy(to + (int64_t)first * g->i, x_row + ((int64_t)ix0 + first) * g->i, (size_t)(last - first) * pixel);
    memset(to + (int64_t)last * g->i, 0, (size_t)(g->kw - last) * pixel);
}

/* Kernel rows [ky0, ky1) of the patches of output pixels [begin, end), one patch a row of `columns`. */
static void gather_patches(const Geometry *g, const real *x, int64_t begin, int64_t end, int ky0, int ky1,
                           real *columns) {
    int64_t row = (int64_t)g->kw * g->i;
    for (int64_t p = begin; p < end; p++) {
        int ox = (int)(p % g->ow), oy = (int)(p / g->ow % g->oh), n = (int)(p / g->ow / g->oh);
        for (int ky = ky0; ky < ky1; ky++, columns += row) {
            int iy = oy * g->stride - g->padding + ky;
            if (iy < 0 || iy >= g->h)
                memset(columns, 0, (size_t)row * sizeof(real));
            else
                copy_patch_row(g, x + ((int64_t)n * g->h + iy) * g->w * g->i, ox * g->stride - g->padding,
                               columns);
        }
    }
}

static void add_bias(real *y, int64_t pixels, int o, const real *bias, bool relu) {
    for (int64_t p = 0; p < pixels; p++, y += o) {
        if (bias)
            for (int c = 0; c < o; c++) y[c] += bias[c];
        if (relu)
            for (int c = 0; c < o; c++) y[c] = y[c] > 0 ? y[c] : 0;
    }
}

static void forward(const EadCall *call) {
    const Geometry g = ead_conv_geometry(call);
    const real *x = call->x[0]->data, *w = call->x[1]->data, *bias = call->x[2] ? call->x[2]->data : NULL;
    bool relu = ((const EadConv2d *)call->attributes)->relu;
    real *y = call->y->data, *workspace = call->workspace;
    int64_t k = patch_size(&g), pixels = (int64_t)g.n * g.oh * g.ow, block = block_pixels(pixels, k);
#pragma omp parallel for schedule(static)
    for (int64_t begin = 0; begin < pixels; begin += block) {
        int64_t end = smaller(begin + block, pixels);
        real *gathered = workspace + round_up(block * k) * omp_get_thread_num();
        const real *patches = is_matrix_already(&g) ? x + begin * k : gathered;
        if (patches == gathered) gather_patches(&g, x, begin, end, 0, g.kh, gathered);
        ead_gemm(&(EadGemm){.transpose_b = true,
                            .m = end - begin,
                            .n = g.o,
                            .k = k,
                            .a = patches,
                            .lda = k,
                            .b = w,
                            .ldb = k,
                            .c = y + begin * g.o,
                            .ldc = g.o});
        add_bias(y + begin * g.o, end - begin, g.o, bias, relu);
    }
}

void ead_conv2d_gemm_plan(EadCall *call) {
    const Geometry g = ead_conv_geometry(call);
    int64_t k = patch_size(&g), block = block_pixels((int64_t)g.n * g.oh * g.ow, k);
    ead_blas_prepare();
    call->run = forward;
    if (!is_matrix_already(&g))
        call->workspace_bytes = (size_t)(round_up(block * k) * omp_get_max_threads()) * sizeof(real);
}

/* ---- input gradient ----
 * dx[iy,ix] sums w[ky,kx] dy[oy,ox] over oy*stride + ky - padding = iy (and the same for x). For one
 * remainder of (iy + padding, ix + padding) modulo the stride, a phase, the taps that contribute are every
 * stride-th one: a dense convolution of dy with a sub-kernel. Stride 1 has one phase. */

typedef struct Phase {
    int first_y, first_x; /* first row and column of dx in this phase */
    int rows, columns;    /* pixels of dx in this phase */
    int tap_y, tap_x;     /* first contributing tap; the others follow at distance stride */
    int taps_y, taps_x;
} Phase;

static int count_from(int first, int limit, int step) {
    return first < limit ? (limit - first + step - 1) / step : 0;
}

static Phase phase_of(const Geometry *g, int ry, int rx) {
    Phase p = {.tap_y = ry, .tap_x = rx};
    p.first_y = ((ry - g->padding) % g->stride + g->stride) % g->stride;
    p.first_x = ((rx - g->padding) % g->stride + g->stride) % g->stride;
    p.rows = count_from(p.first_y, g->h, g->stride);
    p.columns = count_from(p.first_x, g->w, g->stride);
    p.taps_y = count_from(ry, g->kh, g->stride);
    p.taps_x = count_from(rx, g->kw, g->stride);
    return p;
}

/* The sub-kernel of a phase as matrix [taps*O, I]. */
static void gather_phase_weights(const Geometry *g, const Phase *p, const real *w, real *to) {
    for (int ty = 0; ty < p->taps_y; ty++)
        for (int tx = 0; tx < p->taps_x; tx++)
            for (int o = 0; o < g->o; o++, to += g->i) {
                int ky = p->tap_y + ty * g->stride, kx = p->tap_x + tx * g->stride;
                memcpy(to, w + (((int64_t)o * g->kh + ky) * g->kw + kx) * g->i, (size_t)g->i * sizeof(real));
            }
}

/* For pixels [begin, end) of a phase, the values of dy under each tap; zeros outside dy. */
static void gather_phase_patches(const Geometry *g, const Phase *p, const real *dy, int64_t begin,
                                 int64_t end, real *to) {
    size_t bytes = (size_t)g->o * sizeof(real);
    for (int64_t q = begin; q < end; q++) {
        int column = (int)(q % p->columns), row = (int)(q / p->columns % p->rows);
        int64_t n = q / p->columns / p->rows;
        /* (first + step * stride + padding - tap) is divisible by the stride by the choice of the phase */
        int oy0 = (p->first_y + row * g->stride + g->padding - p->tap_y) / g->stride;
        int ox0 = (p->first_x + column * g->stride + g->padding - p->tap_x) / g->stride;
        for (int ty = 0; ty < p->taps_y; ty++)
            for (int tx = 0; tx < p->taps_x; tx++, to += g->o) {
                int oy = oy0 - ty, ox = ox0 - tx;
                bool inside = oy >= 0 && oy < g->oh && ox >= 0 && ox < g->ow;
                if (inside)
                    memcpy(to, dy + ((n * g->oh + oy) * g->ow + ox) * g->o, bytes);
                else
                    memset(to, 0, bytes);
            }
    }
}

static void scatter_phase(const Geometry *g, const Phase *p, const real *from, int64_t begin, int64_t end,
                          real *dx) {
    for (int64_t q = begin; q < end; q++, from += g->i) {
        int64_t ix = p->first_x + q % p->columns * g->stride;
        int64_t iy = p->first_y + q / p->columns % p->rows * g->stride, n = q / p->columns / p->rows;
        memcpy(dx + ((n * g->h + iy) * g->w + ix) * g->i, from, (size_t)g->i * sizeof(real));
    }
}

static int64_t phase_block(const Geometry *g, const Phase *p) {
    int64_t pixels = (int64_t)g->n * p->rows * p->columns, k = (int64_t)p->taps_y * p->taps_x * g->o;
    return pixels && k ? block_pixels(pixels, k) : 0;
}

static void run_phase(const EadCall *call, const Geometry *g, const Phase *p) {
    const real *dy = call->x[0]->data, *w = call->x[1]->data;
    real *dx = call->y->data, *weights = call->workspace;
    int64_t k = (int64_t)p->taps_y * p->taps_x * g->o, pixels = (int64_t)g->n * p->rows * p->columns;
    int64_t block = phase_block(g, p);
    real *scratch = weights + round_up(k * g->i);
    int64_t share = round_up(block * k) + round_up(block * g->i);
    gather_phase_weights(g, p, w, weights);
#pragma omp parallel for schedule(static)
    for (int64_t begin = 0; begin < pixels; begin += block) {
        int64_t end = smaller(begin + block, pixels);
        real *patches = scratch + share * omp_get_thread_num(), *result = patches + round_up(block * k);
        real *c = g->stride == 1 ? dx + begin * g->i : result;
        gather_phase_patches(g, p, dy, begin, end, patches);
        ead_gemm(&(EadGemm){.m = end - begin,
                            .n = g->i,
                            .k = k,
                            .a = patches,
                            .lda = k,
                            .b = weights,
                            .ldb = g->i,
                            .c = c,
                            .ldc = g->i});
        if (c == result) scatter_phase(g, p, result, begin, end, dx);
    }
}

static void input_gradient(const EadCall *call) {
    const Geometry g = ead_conv_input_gradient_geometry(call);
    for (int ry = 0; ry < g.stride; ry++)
        for (int rx = 0; rx < g.stride; rx++) {
            Phase p = phase_of(&g, ry, rx);
            if (p.rows == 0 || p.columns == 0) continue;
            if (p.taps_y && p.taps_x) {
                run_phase(call, &g, &p);
                continue;
            }
            for (int64_t q = 0; q < (int64_t)g.n * p.rows * p.columns;
                 q++) { /* no tap reaches these pixels */
                int64_t ix = p.first_x + q % p.columns * g.stride, n = q / p.columns / p.rows;
                int64_t iy = p.first_y + q / p.columns % p.rows * g.stride;
                memset((real *)call->y->data + ((n * g.h + iy) * g.w + ix) * g.i, 0,
                       (size_t)g.i * sizeof(real));
            }
        }
}

void ead_conv2d_input_gradient_gemm_plan(EadCall *call) {
    const Geometry g = ead_conv_input_gradient_geometry(call);
    int64_t most = 0;
    for (int ry = 0; ry < g.stride; ry++)
        for (int rx = 0; rx < g.stride; rx++) {
            Phase p = phase_of(&g, ry, rx);
            int64_t k = (int64_t)p.taps_y * p.taps_x * g.o, block = phase_block(&g, &p);
            int64_t need =
                round_up(k * g.i) + (round_up(block * k) + round_up(block * g.i)) * omp_get_max_threads();
            if (need > most) most = need;
        }
    ead_blas_prepare();
    call->run = input_gradient;
    call->workspace_bytes = (size_t)most * sizeof(real);
}

/* ---- weight gradient ----
 * dw[:, ky, :, :] = dy^T patches(ky) summed over blocks of pixels in order. One task is one kernel row and a
 * range of output channels, so that tasks write to different memory and no sum depends on the number of
 * threads. */

enum { CHANNELS_A_TASK = 128 };

static int64_t weight_block(const Geometry *g) {
    return block_pixels((int64_t)g->n * g->oh * g->ow, (int64_t)g->kw * g->i);
}

static void weight_gradient_task(const EadCall *call, const Geometry *g, int ky, int o0, real *patches) {
    const real *dy = call->x[0]->data, *x = call->x[1]->data;
    int64_t pixels = (int64_t)g->n * g->oh * g->ow, block = weight_block(g), row = (int64_t)g->kw * g->i;
    real *dw = (real *)call->y->data + ((int64_t)o0 * g->kh + ky) * row;
    for (int64_t begin = 0; begin < pixels; begin += block) {
        int64_t end = smaller(begin + block, pixels);
        gather_patches(g, x, begin, end, ky, ky + 1, patches);
        ead_gemm(&(EadGemm){.transpose_a = true,
                            .m = smaller(CHANNELS_A_TASK, g->o - o0),
                            .n = row,
                            .k = end - begin,
                            .a = dy + begin * g->o + o0,
                            .lda = g->o,
                            .b = patches,
                            .ldb = row,
                            .beta = begin ? 1 : 0,
                            .c = dw,
                            .ldc = g->kh * row});
    }
}

static void weight_gradient(const EadCall *call) {
    const Geometry g = ead_conv_weight_gradient_geometry(call);
    real *workspace = call->workspace;
    int64_t share = round_up(weight_block(&g) * g.kw * g.i);
    int parts = (g.o + CHANNELS_A_TASK - 1) / CHANNELS_A_TASK;
#pragma omp parallel for schedule(dynamic)
    for (int task = 0; task < g.kh * parts; task++)
        weight_gradient_task(call, &g, task % g.kh, task / g.kh * CHANNELS_A_TASK,
                             workspace + share * omp_get_thread_num());
}

void ead_conv2d_weight_gradient_gemm_plan(EadCall *call) {
    const Geometry g = ead_conv_weight_gradient_geometry(call);
    ead_blas_prepare();
    call->run = weight_gradient;
    call->workspace_bytes =
        (size_t)(round_up(weight_block(&g) * g.kw * g.i) * omp_get_max_threads()) * sizeof(real);
}
