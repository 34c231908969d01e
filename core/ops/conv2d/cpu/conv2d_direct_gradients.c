/* Both gradients by packed products.
 *
 * Input gradient: phase by phase, blocks of pixels of dx, patches of dy times the phase's sub-kernel.
 * Weight gradient: pixels are dealt into a fixed number of parts, each summing dy^T patches into weights of
 * its own, which are added in order: no sum depends on the number of threads. */
#include "core/ops/conv2d/cpu/conv2d_direct.h"
#include "core/ops/conv2d/cpu/conv2d_patches.h"
#include "core/simd/simd.h"
#include "core/base/minmax.h"

#include <omp.h>
#include <string.h>

enum { BLOCK_BYTES = 192 << 10, MAX_BLOCK = 96, MAX_PARTS = 16, PIXELS_A_PART = 256 };

typedef EadConvGeometry Geometry;

/* Pixels whose rows of k numbers fit the cache. */
static int64_t block_of(int64_t k) {
    int64_t block = BLOCK_BYTES / (k * (int64_t)sizeof(real)) / EAD_SIMD_ROWS * EAD_SIMD_ROWS;
    return block > MAX_BLOCK ? MAX_BLOCK : block < EAD_SIMD_ROWS ? EAD_SIMD_ROWS : block;
}

/* ---- input gradient ---- */

static void run_phase(const EadCall *call, const Geometry *g, const EadPhase *p) {
    const EadSimd *simd = ead_simd();
    int64_t k = ead_phase_patch(g, p), pixels = ead_phase_pixels(g, p), block = block_of(k);
    int64_t columns = ead_round_up(g->i, simd->panel), share = ead_round_up(block * (k + columns), 16);
    real *weights = call->workspace, *scratch = weights + ead_round_up(k * columns, 16), *dx = call->y->data;
    const real *dy = call->x[0]->data;
    if (columns != g->i) memset(weights, 0, (size_t)(k * columns) * sizeof(real));
    ead_gather_phase_weights(g, p, call->x[1]->data, weights, columns);
#pragma omp parallel for schedule(static)
    for (int64_t begin = 0; begin < pixels; begin += block) {
        int64_t end = ead_smaller64(begin + block, pixels);
        real *patches = scratch + share * omp_get_thread_num(), *result = patches + block * k;
        ead_gather_phase_patches(g, p, dy, begin, end, patches);
        for (int64_t c = 0; c < columns; c += simd->panel)
            simd->product(&(EadPanelProduct){.rows = end - begin,
                                             .k = k,
                                             .a = patches,
                                             .row_stride = k,
                                             .k_stride = 1,
                                             .b = weights + c,
                                             .ldb = columns,
                                             .c = result + c,
                                             .ldc = columns});
        for (int64_t q = begin; q < end; q++)
            memcpy(ead_phase_target(g, p, q, dx), result + (q - begin) * columns,
                   (size_t)g->i * sizeof(real));
    }
}

static void input_gradient(const EadCall *call) {
    const Geometry g = ead_conv_input_gradient_geometry(call);
    ead_for_each_phase(call, &g, run_phase);
}

void ead_conv2d_input_gradient_direct_plan(EadCall *call) {
    const Geometry g = ead_conv_input_gradient_geometry(call);
    int64_t most = 0, columns = ead_round_up(g.i, ead_simd()->panel);
    for (int phase = 0; phase < g.stride * g.stride; phase++) {
        EadPhase p = ead_phase(&g, phase / g.stride, phase % g.stride);
        int64_t k = ead_phase_patch(&g, &p);
        if (k == 0) continue;
        int64_t need = ead_round_up(k * columns, 16) +
                       ead_round_up(block_of(k) * (k + columns), 16) * omp_get_max_threads();
        if (need > most) most = need;
        call->multiply_adds += (double)(ead_phase_pixels(&g, &p) * k) * (double)columns;
    }
    call->algorithm = "direct";
    call->run = input_gradient;
    call->workspace_bytes = (size_t)most * sizeof(real);
}

/* ---- weight gradient ---- */

typedef struct Weight {
    Geometry g;
    const EadSimd *simd;
    int64_t k, columns; /* numbers of a patch, and rounded up to panels */
    int64_t pixels, block, share;
    int parts;
    const real *x, *dy;
    real *sums; /* [part][O][columns] */
} Weight;

static Weight describe(const EadCall *call) {
    Weight w = {.g = ead_conv_weight_gradient_geometry(call), .simd = ead_simd()};
    w.k = (int64_t)w.g.kh * w.g.kw * w.g.i;
    w.columns = ead_round_up(w.k, w.simd->panel);
    w.pixels = (int64_t)w.g.n * w.g.oh * w.g.ow;
    w.block = block_of(w.columns);
    w.parts = ead_min((w.pixels + PIXELS_A_PART - 1) / PIXELS_A_PART, MAX_PARTS);
    w.share = ead_round_up(w.block * w.columns, 16);
    return w;
}

static void sum_part(const Weight *w, int part, real *patches) {
    int64_t begin = w->pixels * part / w->parts, limit = w->pixels * (part + 1) / w->parts;
    real *sum = w->sums + part * w->g.o * w->columns;
    memset(patches, 0,
           (size_t)(w->block * w->columns) * sizeof(real)); /* the columns beyond k are multiplied too */
    for (int64_t first = begin; first < limit; first += w->block) {
        int64_t end = ead_smaller64(first + w->block, limit);
        ead_gather_patches(&w->g, w->x, first, end, 0, w->g.kh, patches, w->columns);
        for (int64_t c = 0; c < w->columns; c += w->simd->panel)
            w->simd->product(&(EadPanelProduct){.rows = w->g.o,
                                                .k = end - first,
                                                .a = w->dy + first * w->g.o,
                                                .row_stride = 1,
                                                .k_stride = w->g.o,
                                                .b = patches + c,
                                                .ldb = w->columns,
                                                .c = sum + c,
                                                .ldc = w->columns,
                                                .accumulate = first > begin});
    }
}

static void weight_gradient(const EadCall *call) {
    Weight w = describe(call);
    real *patches = call->workspace, *dw = call->y->data;
    w.dy = call->x[0]->data;
    w.x = call->x[1]->data;
    w.sums = patches + w.share * omp_get_max_threads();
#pragma omp parallel for schedule(dynamic)
    for (int part = 0; part < w.parts; part++) sum_part(&w, part, patches + w.share * omp_get_thread_num());
#pragma omp parallel for schedule(static)
    for (int o = 0; o < w.g.o; o++)
        for (int64_t k = 0; k < w.k; k++) {
            real sum = 0;
            for (int part = 0; part < w.parts; part++) sum += w.sums[(part * w.g.o + o) * w.columns + k];
            dw[o * w.k + k] = sum;
        }
}

void ead_conv2d_weight_gradient_direct_plan(EadCall *call) {
    Weight w = describe(call);
    int64_t reals = w.share * omp_get_max_threads() + w.parts * w.g.o * w.columns;
    call->algorithm = "direct";
    call->multiply_adds = (double)(w.pixels * w.g.o) * (double)w.columns;
    call->run = weight_gradient;
    call->workspace_bytes = (size_t)reals * sizeof(real);
}
