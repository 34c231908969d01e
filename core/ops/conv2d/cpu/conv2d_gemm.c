/* Convolution by im2col and OpenBLAS, a block of output pixels at a time. Blocks are independent of the
 * number of threads, so the result is too. */
#include "core/ops/conv2d/cpu/conv2d_gemm.h"

#include "core/base/blas.h"
#include "core/ops/conv2d/conv2d.h"
#include "core/ops/conv2d/cpu/conv2d_patches.h"
#include "core/base/minmax.h"

#include <omp.h>
#include <string.h>

typedef EadConvGeometry Geometry;

/* A block's patches should stay in the cache until they are multiplied, and yet be many, because OpenBLAS
 * packs the weights anew for each block. */
enum { BLOCK_BYTES = 6 << 20, MAX_BLOCK_PIXELS = 1024, MIN_BLOCK_PIXELS = 64, VECTOR = 16 };

/* Workspaces of different threads begin on cache lines of their own. */
static int64_t whole_vectors(int64_t value) {
    return ead_round_up(value, VECTOR);
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

static void name(EadCall *call, const Geometry *g) {
    call->algorithm = "gemm";
    call->multiply_adds = (double)ead_conv_multiply_adds(g);
}

/* ---- forward ---- */

static int64_t patch_size(const Geometry *g) {
    return (int64_t)g->kh * g->kw * g->i;
}

static void forward(const EadCall *call) {
    const Geometry g = ead_conv_geometry(call);
    const real *x = call->x[0]->data, *w = call->x[1]->data, *bias = call->x[2] ? call->x[2]->data : NULL;
    bool relu = ((const EadConv2d *)call->attributes)->relu;
    real *y = call->y->data, *workspace = call->workspace;
    int64_t k = patch_size(&g), pixels = (int64_t)g.n * g.oh * g.ow, block = block_pixels(pixels, k);
#pragma omp parallel for schedule(static)
    for (int64_t begin = 0; begin < pixels; begin += block) {
        int64_t end = ead_smaller64(begin + block, pixels);
        real *gathered = workspace + whole_vectors(block * k) * omp_get_thread_num();
        const real *patches = ead_conv_is_matrix(&g) ? x + begin * k : gathered;
        if (patches == gathered) ead_gather_patches(&g, x, begin, end, 0, g.kh, gathered, k);
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
        ead_add_bias(y + begin * g.o, end - begin, g.o, g.o, bias, relu);
    }
}

void ead_conv2d_gemm_plan(EadCall *call) {
    const Geometry g = ead_conv_geometry(call);
    int64_t k = patch_size(&g), block = block_pixels((int64_t)g.n * g.oh * g.ow, k);
    ead_blas_prepare();
    name(call, &g);
    call->run = forward;
    if (!ead_conv_is_matrix(&g))
        call->workspace_bytes = (size_t)(whole_vectors(block * k) * omp_get_max_threads()) * sizeof(real);
}

/* ---- input gradient ---- */

static int64_t phase_block(const Geometry *g, const EadPhase *p) {
    int64_t pixels = ead_phase_pixels(g, p), k = ead_phase_patch(g, p);
    return pixels && k ? block_pixels(pixels, k) : 0;
}

static void run_phase(const EadCall *call, const Geometry *g, const EadPhase *p) {
    const real *dy = call->x[0]->data;
    real *dx = call->y->data, *weights = call->workspace;
    int64_t k = ead_phase_patch(g, p), pixels = ead_phase_pixels(g, p), block = phase_block(g, p);
    real *scratch = weights + whole_vectors(k * g->i);
    int64_t share = whole_vectors(block * k) + whole_vectors(block * g->i);
    ead_gather_phase_weights(g, p, call->x[1]->data, weights, g->i);
#pragma omp parallel for schedule(static)
    for (int64_t begin = 0; begin < pixels; begin += block) {
        int64_t end = ead_smaller64(begin + block, pixels);
        real *patches = scratch + share * omp_get_thread_num(), *result = patches + whole_vectors(block * k);
        ead_gather_phase_patches(g, p, dy, begin, end, patches);
        ead_gemm(&(EadGemm){.m = end - begin,
                            .n = g->i,
                            .k = k,
                            .a = patches,
                            .lda = k,
                            .b = weights,
                            .ldb = g->i,
                            .c = result,
                            .ldc = g->i});
        for (int64_t q = begin; q < end; q++)
            memcpy(ead_phase_target(g, p, q, dx), result + (q - begin) * g->i, (size_t)g->i * sizeof(real));
    }
}

static void input_gradient(const EadCall *call) {
    const Geometry g = ead_conv_input_gradient_geometry(call);
    ead_for_each_phase(call, &g, run_phase);
}

void ead_conv2d_input_gradient_gemm_plan(EadCall *call) {
    const Geometry g = ead_conv_input_gradient_geometry(call);
    int64_t most = 0;
    for (int phase = 0; phase < g.stride * g.stride; phase++) {
        EadPhase p = ead_phase(&g, phase / g.stride, phase % g.stride);
        int64_t k = ead_phase_patch(&g, &p), block = phase_block(&g, &p);
        int64_t need = whole_vectors(k * g.i) +
                       (whole_vectors(block * k) + whole_vectors(block * g.i)) * omp_get_max_threads();
        if (need > most) most = need;
    }
    ead_blas_prepare();
    name(call, &g);
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
        int64_t end = ead_smaller64(begin + block, pixels);
        ead_gather_patches(g, x, begin, end, ky, ky + 1, patches, row);
        ead_gemm(&(EadGemm){.transpose_a = true,
                            .m = ead_smaller64(CHANNELS_A_TASK, g->o - o0),
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
    int64_t share = whole_vectors(weight_block(&g) * g.kw * g.i);
    int parts = (g.o + CHANNELS_A_TASK - 1) / CHANNELS_A_TASK;
#pragma omp parallel for schedule(dynamic)
    for (int task = 0; task < g.kh * parts; task++)
        weight_gradient_task(call, &g, task % g.kh, task / g.kh * CHANNELS_A_TASK,
                             workspace + share * omp_get_thread_num());
}

void ead_conv2d_weight_gradient_gemm_plan(EadCall *call) {
    const Geometry g = ead_conv_weight_gradient_geometry(call);
    ead_blas_prepare();
    name(call, &g);
    call->run = weight_gradient;
    call->workspace_bytes =
        (size_t)(whole_vectors(weight_block(&g) * g.kw * g.i) * omp_get_max_threads()) * sizeof(real);
}
