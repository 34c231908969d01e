/* Winograd forward and input gradient: the input gradient of a convolution is the convolution of dy with the
 * flipped kernel, input and output channels exchanged, so one driver serves both.
 *
 * A task is a block of tiles, or where there are fewer blocks than threads, some panels of its output
 * channels: transform the inputs; then panel by panel one product [tiles, in] x [in, panel] for each of the
 * tile*tile numbers, and straight after it the transform back with bias and ReLU. A task shares nothing with
 * others but the weights, so threads never wait for one another and results do not depend on them. */
#include "core/ops/conv2d/conv2d_winograd.h"

#include "core/ops/conv2d/conv2d.h"
#include "core/ops/conv2d/winograd_blocks.h"

#include <omp.h>
#include <string.h>

bool ead_conv2d_winograd_fits(const EadConvGeometry *g) {
    bool channels = g->i % EAD_SIMD_MAX_VECTOR == 0 && g->o % EAD_SIMD_MAX_VECTOR == 0;
    return channels && g->kh == g->kw && (g->kh == 3 || g->kh == 4) && g->stride == 1 && g->padding < g->kh;
}

typedef struct Run {
    const EadWinograd *w;
    const real *x, *bias, *zeros, *u;
    real *y;
    bool relu;
    int64_t blocks;
    int panel_parts; /* tasks that share a block */
} Run;

static int smaller(int64_t a, int64_t b) {
    return (int)(a < b ? a : b);
}

static void transform_outputs(const Run *r, const EadTilePlace *places, int64_t count, int64_t panel,
                              const real *m) {
    const EadTileGrid *g = &r->w->grid;
    int64_t width = r->w->simd->panel, pixel = g->out_channels, channel = panel * width;
    const real *bias = r->bias ? r->bias + channel : NULL;
    for (int64_t t = 0; t < count; t++) {
        const EadTilePlace *at = &places[t];
        int64_t first = ((int64_t)at->image * g->out_height + at->y) * g->out_width + at->x;
        r->w->kernels->output(m + t * width, r->w->m_stride, smaller(width, pixel - channel), bias, r->relu,
                              r->y + first * pixel + channel, g->out_width * pixel, pixel,
                              smaller(g->outputs, g->out_height - at->y),
                              smaller(g->outputs, g->out_width - at->x));
    }
}

static void run_task(const Run *r, int64_t task, real *v) {
    const EadWinograd *w = r->w;
    EadTilePlace places[EAD_WINOGRAD_BLOCK];
    int64_t block = task / r->panel_parts, part = task % r->panel_parts, tiles = w->grid.tiles;
    int64_t first = tiles * block / r->blocks, count = tiles * (block + 1) / r->blocks - first;
    for (int64_t t = 0; t < count; t++) places[t] = ead_tile_place(&w->grid, first + t);
    ead_winograd_inputs(w, places, count, r->x, r->zeros, v);
    int64_t end = w->panels * (part + 1) / r->panel_parts;
    for (int64_t panel = w->panels * part / r->panel_parts; panel < end; panel++) {
        ead_winograd_multiply(w, count, v, r->u, panel, v + w->v_size);
        transform_outputs(r, places, count, panel, v + w->v_size);
    }
}

/* As many blocks as the threads can share evenly, none of more than EAD_WINOGRAD_BLOCK tiles, and none of
 * fewer than the product's register block is high. */
static int64_t count_blocks(const EadWinograd *w, int threads) {
    int64_t tiles = w->grid.tiles;
    int64_t even = ead_round_up((tiles + w->block - 1) / w->block, threads);
    return smaller(even, 1 + (tiles - 1) / EAD_SIMD_ROWS);
}

static EadWinograd describe(const EadConvGeometry *g, int tile, bool flipped) {
    return ead_winograd(g, tile, flipped, 0, EAD_WINOGRAD_BLOCK);
}

static void prepare(const EadCall *call, const EadConvGeometry *g, int tile, bool flipped) {
    EadWinograd w = describe(g, tile, flipped);
    ead_winograd_prepare(&w, g, call->x[1]->data, call->prepared);
}

static void run(const EadCall *call, const EadConvGeometry *g, int tile, bool flipped) {
    EadWinograd w = describe(g, tile, flipped);
    int threads = omp_get_max_threads();
    real *zeros = call->workspace, *blocks = zeros + ead_round_up(w.grid.in_channels, 16);
    if (!call->prepared_once) prepare(call, g, tile, flipped);
    memset(zeros, 0, (size_t)w.grid.in_channels * sizeof(real));
    Run r = {.w = &w, .x = call->x[0]->data, .zeros = zeros, .u = call->prepared, .y = call->y->data};
    r.blocks = count_blocks(&w, threads);
    r.panel_parts = r.blocks < threads ? smaller(threads / r.blocks, w.panels) : 1;
    if (!flipped) {
        r.bias = call->x[2] ? call->x[2]->data : NULL;
        r.relu = ((const EadConv2d *)call->attributes)->relu;
    }
#pragma omp parallel for schedule(dynamic)
    for (int64_t task = 0; task < r.blocks * r.panel_parts; task++)
        run_task(&r, task, blocks + omp_get_thread_num() * (w.v_size + w.m_size));
}

static void plan(EadCall *call, const EadConvGeometry *g, int tile, bool flipped) {
    EadWinograd w = describe(g, tile, flipped);
    int64_t reals = omp_get_max_threads() * (w.v_size + w.m_size) + ead_round_up(w.grid.in_channels, 16);
    double columns = (double)(w.panels * w.simd->panel);
    call->algorithm = tile == 8 ? "winograd8" : "winograd6";
    call->multiply_adds = (double)(w.numbers * w.grid.tiles * w.grid.in_channels) * columns;
    call->workspace_bytes = (size_t)reals * sizeof(real);
    call->prepared_bytes = (size_t)(w.panels * w.u_size) * sizeof(real);
}

/* ---- the entry points: forward and input gradient, tile 6 and 8 ---- */

#define ENTRY(tile)                                                                                          \
    static void forward_##tile(const EadCall *call) {                                                        \
        EadConvGeometry g = ead_conv_geometry(call);                                                         \
        run(call, &g, tile, false);                                                                          \
    }                                                                                                        \
    static void prepare_forward_##tile(const EadCall *call) {                                                \
        EadConvGeometry g = ead_conv_geometry(call);                                                         \
        prepare(call, &g, tile, false);                                                                      \
    }                                                                                                        \
    static void input_gradient_##tile(const EadCall *call) {                                                 \
        EadConvGeometry g = ead_conv_input_gradient_geometry(call);                                          \
        run(call, &g, tile, true);                                                                           \
    }                                                                                                        \
    static void prepare_input_gradient_##tile(const EadCall *call) {                                         \
        EadConvGeometry g = ead_conv_input_gradient_geometry(call);                                          \
        prepare(call, &g, tile, true);                                                                       \
    }

ENTRY(6)
ENTRY(8)

void ead_conv2d_winograd_plan(EadCall *call, int tile) {
    EadConvGeometry g = ead_conv_geometry(call);
    plan(call, &g, tile, false);
    call->run = tile == 8 ? forward_8 : forward_6;
    call->prepare = tile == 8 ? prepare_forward_8 : prepare_forward_6;
}

void ead_conv2d_input_gradient_winograd_plan(EadCall *call, int tile) {
    EadConvGeometry g = ead_conv_input_gradient_geometry(call);
    plan(call, &g, tile, true);
    call->run = tile == 8 ? input_gradient_8 : input_gradient_6;
    call->prepare = tile == 8 ? prepare_input_gradient_8 : prepare_input_gradient_6;
}
